"""`selective_scan` as two Triton kernels, forward and backward: one program for a row and a block of its channels.

In PyTorch every position takes several small kernels, and starting them takes most of the time. Here the loop over
positions is inside the kernel, with h in registers. The arithmetic is the same;
`tests/baselines/blocks/test_selective_scan_triton.py` compares both, with gradients, in Triton's interpreter.

For its gradient the forward pass stores h before every position, B · L · D · N numbers: 210 MB for 32 rows of 200
positions with D = 256 and N = 32. What blocks of channels add to the gradients of B and C, and rows to that of A, is
stored apart and summed afterwards, so that results do not depend on the order in which programs run.

Letters are those of `selective_scan.py`. In `_backward` a name `to_x` is the derivative of the loss by x.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

ELEMENTS = 256  # of h in a program: 8 a thread, and 512 programs or more with the published shapes
WARPS = 1  # sums over a program's tile stay within the warp


def selective_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """As `selective_scan.selective_scan`: x, dt (B, L, D), A (D, N), B and C (B, L, N), of one type → y (B, L, D)."""
    parts = (x, dt, A, B, C)
    keep = torch.is_grad_enabled() and any(part.requires_grad for part in parts)
    return _SelectiveScan.apply(*(part.contiguous() for part in parts), keep)


class _SelectiveScan(torch.autograd.Function):
    """All arguments contiguous. keep: whether h is stored for `backward`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, keep: bool) -> Tensor:
        batch, length, _ = x.shape
        y = torch.empty_like(x)
        before = x.new_empty(batch, length, *A.shape) if keep else x.new_empty(0)
        _forward[_programs(batch, A)](x, dt, A, B, C, y, before, length, KEEP=keep, **_shape(A))
        if keep:
            ctx.save_for_backward(x, dt, A, B, C, before)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_y: Tensor) -> tuple[Tensor | None, ...]:
        x, dt, A, B, C, before = ctx.saved_tensors
        batch, length, _ = x.shape
        blocks = _programs(batch, A)[1]
        to_x, to_dt = torch.empty_like(x), torch.empty_like(x)
        to_A = x.new_empty(batch, *A.shape)
        to_B, to_C = (x.new_empty(blocks, *part.shape) for part in (B, C))
        _backward[(batch, blocks)](
            x, dt, A, B, C, before, to_y.contiguous(), to_x, to_dt, to_A, to_B, to_C, length, **_shape(A)
        )
        return to_x, to_dt, to_A.sum(0), to_B.sum(0), to_C.sum(0), None


def _programs(batch: int, A: Tensor) -> tuple[int, int]:
    """Rows, and blocks of channels."""
    return batch, triton.cdiv(len(A), _shape(A)["BLOCK"])


def _shape(A: Tensor) -> dict[str, int]:
    """What the kernels are compiled for: D, N, and the sides of a program's tile, which are powers of two."""
    channels, states = A.shape
    tile = triton.next_power_of_2(states)
    return {"D": channels, "N": states, "BLOCK": max(1, ELEMENTS // tile), "TILE": tile, "num_warps": WARPS}


# L is left general: otherwise a length of 1, and lengths divisible by 16, would be compiled anew in the midst of a run
@triton.jit(do_not_specialize=["L"])
def _forward(
    x_ptr, dt_ptr, A_ptr, B_ptr, C_ptr, y_ptr, before_ptr, L,
    D: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr, TILE: tl.constexpr, KEEP: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    d = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    n = tl.arange(0, TILE)
    cell = d[:, None] * N + n[None, :]
    inside = (d[:, None] < D) & (n[None, :] < N)
    A = tl.load(A_ptr + cell, mask=inside, other=0.0)
    h = tl.zeros((BLOCK, TILE), dtype=x_ptr.dtype.element_ty)
    for t in range(L):
        at = b * L + t
        if KEEP:
            tl.store(before_ptr + at * D * N + cell, h, mask=inside)
        x = tl.load(x_ptr + at * D + d, mask=d < D, other=0.0)
        dt = tl.load(dt_ptr + at * D + d, mask=d < D, other=0.0)
        B = tl.load(B_ptr + at * N + n, mask=n < N, other=0.0)
        C = tl.load(C_ptr + at * N + n, mask=n < N, other=0.0)
        h = tl.exp(dt[:, None] * A) * h + (dt * x)[:, None] * B[None, :]
        tl.store(y_ptr + at * D + d, tl.sum(h * C[None, :], axis=1), mask=d < D)


@triton.jit(do_not_specialize=["L"])
def _backward(
    x_ptr, dt_ptr, A_ptr, B_ptr, C_ptr, before_ptr, to_y_ptr, to_x_ptr, to_dt_ptr, to_A_ptr, to_B_ptr, to_C_ptr, L,
    D: tl.constexpr, N: tl.constexpr, BLOCK: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1).to(tl.int64)
    d = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    n = tl.arange(0, TILE)
    cell = d[:, None] * N + n[None, :]
    inside = (d[:, None] < D) & (n[None, :] < N)
    A = tl.load(A_ptr + cell, mask=inside, other=0.0)
    to_A = tl.zeros((BLOCK, TILE), dtype=x_ptr.dtype.element_ty)
    from_later = tl.zeros((BLOCK, TILE), dtype=x_ptr.dtype.element_ty)  # derivative by h through later positions
    for back in range(L):
        at = b * L + (L - 1 - back)
        # what the forward pass computed at this position
        before = tl.load(before_ptr + at * D * N + cell, mask=inside, other=0.0)
        x = tl.load(x_ptr + at * D + d, mask=d < D, other=0.0)
        dt = tl.load(dt_ptr + at * D + d, mask=d < D, other=0.0)
        B = tl.load(B_ptr + at * N + n, mask=n < N, other=0.0)
        C = tl.load(C_ptr + at * N + n, mask=n < N, other=0.0)
        decay = tl.exp(dt[:, None] * A)
        left = decay * before
        u = dt * x
        h = left + u[:, None] * B[None, :]
        # and its derivatives, in the opposite order
        to_y = tl.load(to_y_ptr + at * D + d, mask=d < D, other=0.0)
        to_h = from_later + to_y[:, None] * C[None, :]
        to_u = tl.sum(to_h * B[None, :], axis=1)
        to_exponent = to_h * left  # derivative by Δ A
        to_dt = tl.sum(to_exponent * A, axis=1) + to_u * x
        to_A += to_exponent * dt[:, None]
        from_later = to_h * decay
        tl.store(to_x_ptr + at * D + d, to_u * dt, mask=d < D)
        tl.store(to_dt_ptr + at * D + d, to_dt, mask=d < D)
        part = (block * tl.num_programs(0) * L + at) * N + n
        tl.store(to_B_ptr + part, tl.sum(to_h * u[:, None], axis=0), mask=n < N)
        tl.store(to_C_ptr + part, tl.sum(h * to_y[:, None], axis=0), mask=n < N)
    tl.store(to_A_ptr + b * D * N + cell, to_A, mask=inside)
