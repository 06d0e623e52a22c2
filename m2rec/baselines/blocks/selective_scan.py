"""The recurrence of Mamba (Gu and Dao 2023), in which every channel and state has its own decay.

    h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t x_t        h: (D, N), h_0 = 0
    y_t = h_t · C_t

Mamba-2 has one decay for each head, so its scan can be written as matrix products. This one cannot: it always needs
L · D · N exponentials, and memory traffic dominates its cost. `selective_scan` therefore runs through time for as many
rows at once as fit the processor's cache, stores every √L-th h, and recomputes the others in the backward pass. On a
GPU a kernel takes its place, where one works.
"""

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from m2rec.baselines.blocks.linear_scan import exp
from m2rec.model.kernel_choice import first_that_agrees

LOG2_E = math.log2(math.e)
ELEMENTS_AT_ONCE = {"cpu": 1 << 15, "cuda": 1 << 24}  # of h: fits a CPU's cache; enough work for a GPU

Kernel = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def selective_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """y at all positions. x, dt (B, L, D), A (D, N) < 0, B and C (B, L, N), all float32 or all float64 → (B, L, D)."""
    if x.is_cuda and x.dtype == torch.float32:
        with torch.autocast(x.device.type, enabled=False):
            kernel = gpu_scan(*A.shape, x.device)
            if kernel is not None:
                return kernel(x, dt, A, B, C)
    y: Tensor = _SelectiveScan.apply(x, dt, A, B, C)  # type: ignore[no-untyped-call]
    return y


def selective_scan_plain(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """The plain twin of `selective_scan`: one step after another, every h stored."""
    h = x.new_zeros(len(x), *A.shape)
    rows = []
    for t in range(x.shape[1]):
        h = h * (dt[:, t, :, None] * A).exp() + (dt[:, t] * x[:, t])[..., None] * B[:, t, None]
        rows.append((h * C[:, t, None]).sum(-1))
    return torch.stack(rows, dim=1)


def selective_scan_last(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """y at the last position only, without a scan. x, dt (B, L, D), A (D, N), B (B, L, N), C (B, N) → (B, D)."""
    later = dt.flip(1).cumsum(1).flip(1) - dt  # Σ_{r>s} Δ_r
    read = B * C[:, None]
    at_once = max(1, 4 * _elements(x) // (len(x) * A.numel()))
    y = torch.zeros_like(x[:, 0])
    for x_, later_, read_ in zip(*(part.split(at_once, dim=1) for part in (x * dt, later, read)), strict=True):
        weights = torch.einsum("bldn,bln->bld", exp(later_[..., None] * A), read_)
        y = y + (weights * x_).sum(1)
    return y


def scan_through(kernel: Kernel, x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """`selective_scan` by a kernel with the arguments of `mamba_ssm`'s selective_scan_fn, whose L comes last."""
    x, dt, B, C = (part.float().transpose(1, 2).contiguous() for part in (x, dt, B, C))
    return kernel(x, dt, A.contiguous(), B, C).transpose(1, 2)


class _SelectiveScan(Function):
    """Inside, time is the first axis, so that each step is contiguous: u = Δ x, Δ, y (L, B, D), and B, C (L, B, N)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
        ctx.rows = max(1, _elements(x) // A.numel())
        ctx.chunk = math.ceil(math.sqrt(x.shape[1]))
        y = torch.empty_like(x)
        kept = []
        with torch.autocast(x.device.type, enabled=False):
            for start in range(0, len(x), ctx.rows):
                rows = slice(start, start + ctx.rows)
                u, step, read_in, read_out = _time_first(rows, x * dt, dt, B, C)
                out, every = _forward(u, step, A, read_in, read_out, ctx.chunk)
                y[rows] = out.transpose(0, 1)
                kept.append(every)
        ctx.save_for_backward(x, dt, A, B, C, *kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_y: Tensor) -> tuple[Tensor, ...]:
        x, dt, A, B, C, *kept = ctx.saved_tensors
        to_x, to_dt, to_B, to_C = (torch.empty_like(part) for part in (x, dt, B, C))
        to_A = torch.zeros_like(A)
        with torch.autocast(x.device.type, enabled=False):
            for start, every in zip(range(0, len(x), ctx.rows), kept, strict=True):
                rows = slice(start, start + ctx.rows)
                u, step, read_in, read_out, upstream = _time_first(rows, x * dt, dt, B, C, to_y)
                found = _backward(u, step, A, read_in, read_out, upstream, every, ctx.chunk)
                to_u, to_step, to_B[rows], to_C[rows] = (part.transpose(0, 1) for part in found[:4])
                to_x[rows] = to_u * dt[rows]
                to_dt[rows] = to_u * x[rows] + to_step
                to_A += found[4]
        return to_x, to_dt, to_A, to_B, to_C


def _time_first(rows: slice, *parts: Tensor) -> list[Tensor]:
    return [part[rows].transpose(0, 1).contiguous() for part in parts]


def _forward(u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, chunk: int) -> tuple[Tensor, Tensor]:
    """→ y (L, B, D), and h before each chunk (L / chunk, B, D, N)."""
    rate = A * LOG2_E
    h = u.new_zeros(u.shape[1], *A.shape)
    decay, y, every = torch.empty_like(h), torch.empty_like(u), []
    for t in range(len(u)):
        if t % chunk == 0:
            every.append(h.clone())
        torch.mul(dt[t, ..., None], rate, out=decay)
        h.mul_(decay.exp2_()).addcmul_(u[t, ..., None], B[t, :, None])
        torch.bmm(h, C[t, ..., None], out=y[t, ..., None])
    return y, torch.stack(every)


def _backward(
    u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, to_y: Tensor, every: Tensor, chunk: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """→ gradients for u, Δ (through the decays only), B and C, all (L, …), and for A."""
    rate = A * LOG2_E
    to_u, to_dt, to_B, to_C = (torch.empty_like(part) for part in (u, dt, B, C))
    to_h = torch.zeros_like(every[0])
    to_A = torch.zeros_like(to_h)
    decays = u.new_empty(chunk, *to_h.shape)
    states = u.new_empty(chunk + 1, *to_h.shape)
    for start in reversed(range(0, len(u), chunk)):
        here = slice(start, min(start + chunk, len(u)))
        steps = here.stop - start
        torch.mul(dt[here, ..., None], rate, out=decays[:steps]).exp2_()
        states[0] = every[start // chunk]
        for t in range(steps):
            torch.mul(states[t], decays[t], out=states[t + 1])
            states[t + 1].addcmul_(u[start + t, ..., None], B[start + t, :, None])
        to_C[here] = (to_y[here, :, None] @ states[1 : steps + 1])[:, :, 0]
        for t in reversed(range(steps)):
            now = start + t
            to_h.addcmul_(to_y[now, ..., None], C[now, :, None])
            torch.bmm(to_h, B[now, ..., None], out=to_u[now, ..., None])
            torch.bmm(u[now, :, None], to_h, out=to_B[now, :, None])
            to_h.mul_(decays[t])
            torch.mul(to_h, states[t], out=decays[t])  # from here on: the gradient of Δ_t A
        exponents = decays[:steps]
        to_A += torch.mul(exponents, dt[here, ..., None], out=states[:steps]).sum(0)
        to_dt[here] = exponents.mul_(A).sum(-1)
    return to_u, to_dt, to_B, to_C, to_A.sum(0)


def _elements(x: Tensor) -> int:
    return ELEMENTS_AT_ONCE.get(x.device.type, ELEMENTS_AT_ONCE["cpu"])


@cache
def gpu_scan(channels: int, states: int, device: torch.device) -> Kernel | None:
    """`mamba_ssm`'s kernel, or else ours, if it works on this GPU and agrees with plain PyTorch; or None."""
    kernels = {"mamba_ssm's kernel": _of_mamba_ssm, "our Triton kernel": _of_triton}
    return first_that_agrees(
        "Mamba's scan", kernels, selective_scan_plain, lambda: random_parts(channels, states, device)
    )


def _of_mamba_ssm() -> Kernel:
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    return partial(scan_through, selective_scan_fn)


def _of_triton() -> Kernel:
    from m2rec.baselines.blocks.selective_scan_triton import selective_scan as kernel

    return kernel


def random_parts(channels: int, states: int, device: torch.device, *, batch: int = 2, length: int = 9) -> list[Tensor]:
    """Random arguments of a scan, with short and long memories."""
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(device)

    x, B, C = (2 * random(batch, length, width) - 1 for width in (channels, states, states))
    return [x, random(batch, length, channels), -4 * random(channels, states) - 0.01, B, C]
