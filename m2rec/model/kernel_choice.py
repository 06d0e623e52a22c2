"""Which code runs on a GPU: the first kernel that works there and agrees with plain PyTorch, if there is one."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Function = Callable[..., Any]  # tensors → a tensor, or a tuple of them

TOLERANCE = 1e-4


def first_that_agrees(
    task: str, kernels: Mapping[str, Callable[[], Function]], plain: Function, arguments: Callable[[], Sequence[Tensor]]
) -> Function | None:
    """The first of `kernels` (name → what imports it) that agrees with `plain` on `arguments()`, or None.

    It is compared before it is used, because a kernel that fails must not cost a run its result. The log says which
    was chosen for `task`, and why those before it were not.
    """
    for name, load in kernels.items():
        try:
            kernel = load()
            with torch.inference_mode(False), torch.enable_grad():
                difference = largest_difference(kernel, plain, arguments())
        except Exception as error:  # a missing or broken compiler raises far more than ImportError
            log.info("%s: not %s on the GPU (not usable: %s).", task, name, error)
            continue
        if difference < TOLERANCE:
            log.info("%s: %s, within %.0e of plain PyTorch.", task, name, difference)
            return kernel
        log.warning("%s: not %s on the GPU (off by %.1e).", task, name, difference)
    log.info("%s: plain PyTorch on the GPU.", task)
    return None


def largest_difference(one: Function, other: Function, arguments: Sequence[Tensor]) -> float:
    """By how much results and gradients of two functions differ at most, relative to the largest; NaN if one is NaN."""
    results = [_results(which, arguments) for which in (one, other)]
    differences = [(a - b).abs().max() / b.abs().max().clamp(min=1e-6) for a, b in zip(*results, strict=True)]
    return float(torch.stack(differences).max())


def _results(which: Function, arguments: Sequence[Tensor]) -> list[Tensor]:
    """The results with and without gradients, and the gradients of a random sum of the results by every argument."""
    leaves = [argument.detach().clone().requires_grad_() for argument in arguments]
    with torch.no_grad():
        alone = _tensors(which(*leaves))
    found = _tensors(which(*leaves))
    generator = torch.Generator().manual_seed(1)
    weights = [torch.rand(part.shape, generator=generator).to(part) for part in found]
    total = torch.stack([(part * weight).sum() for part, weight in zip(found, weights, strict=True)]).sum()
    return [*alone, *(part.detach() for part in found), *torch.autograd.grad(total, leaves)]


def _tensors(found: Any) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)
