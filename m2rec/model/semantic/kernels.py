"""Which code runs the filter over pairs of themes on a GPU: a Triton kernel where it works, else PyTorch's loop."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from m2rec.model.kernel_choice import first_that_agrees

Filter = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


@cache
def gpu_filter(plain: Filter, themes: int, device: torch.device) -> Filter:
    """The kernel, if it is installed, compiles for this GPU and agrees there with `plain`; else `plain`."""
    kernels = {"Triton's kernel": _triton_kernel}
    return first_that_agrees("Filter over themes", kernels, plain, lambda: evidence(themes, device)) or plain


def evidence(themes: int, device: torch.device, *, batch: int = 2, length: int = 6) -> list[Tensor]:
    """Random arguments of a filter."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(device)

    pairs = random(batch, themes, themes) * (1 - torch.eye(themes, device=device))
    return [
        5 * random(batch, length, themes) ** 4,
        random(batch, length, 1),
        torch.tensor(0.65, device=device),
        torch.tensor(0.05, device=device),
        pairs / pairs.sum((1, 2), keepdim=True),
    ]


def _triton_kernel() -> Filter:
    from m2rec.model.semantic.pair_filter_triton import filter_pairs

    return filter_pairs
