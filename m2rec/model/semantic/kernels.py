"""Which code runs the filter over pairs of themes on a GPU: a Triton kernel where it works, else PyTorch's loop."""

import logging
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Filter = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

BATCH, LENGTH = 2, 6  # of the comparison
TOLERANCE = 1e-4


@cache
def gpu_filter(plain: Filter, themes: int, device: torch.device) -> Filter:
    """The kernel, if it is installed, compiles for this GPU and agrees there with `plain`; else `plain`.

    The kernel is compared once, with its gradients, because a kernel that fails must not cost a run its result.
    """
    try:
        from m2rec.model.semantic.pair_filter_triton import filter_pairs

        with torch.inference_mode(False), torch.enable_grad():
            difference = largest_difference(filter_pairs, plain, themes, device)
    except Exception as error:  # a missing or broken compiler raises far more than ImportError
        log.info("Filter over themes: PyTorch's loop on the GPU (Triton is not usable: %s).", error)
        return plain
    if not difference < TOLERANCE:
        log.warning("Filter over themes: PyTorch's loop on the GPU (the kernel is off by %.1e).", difference)
        return plain
    log.info("Filter over themes: Triton's kernel, within %.0e of PyTorch's loop.", difference)
    return filter_pairs


def largest_difference(
    one: Filter, other: Filter, themes: int, device: torch.device, *, batch: int = BATCH, length: int = LENGTH
) -> float:
    """By how much results and gradients of two filters differ at most, on random evidence, relative to the largest."""
    results = [_results(which, themes, device, batch, length) for which in (one, other)]
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1e-6)) for a, b in zip(*results, strict=True))


def _results(which: Filter, themes: int, device: torch.device, batch: int, length: int) -> list[Tensor]:
    """π, the last belief, and the gradients of a random sum of both by every argument."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(device)

    pairs = random(batch, themes, themes) * (1 - torch.eye(themes, device=device))
    given = [
        5 * random(batch, length, themes) ** 4,
        random(batch, length, 1),
        torch.tensor(0.65, device=device),
        torch.tensor(0.05, device=device),
        pairs / pairs.sum((1, 2), keepdim=True),
    ]
    given = [argument.requires_grad_() for argument in given]
    found = which(*given)
    weights = [random(*part.shape) for part in found]
    total = sum(
        ((part * weight).sum() for part, weight in zip(found, weights, strict=True)), torch.zeros(()).to(device)
    )
    return [*(part.detach() for part in found), *torch.autograd.grad(total, given)]
