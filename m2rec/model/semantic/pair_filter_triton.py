"""`filter_pairs` of `themes.py` as two Triton kernels, forward and backward: one program a history.

In PyTorch every position takes about 50 small kernels (15 forward, 35 backward), and starting them takes most of the
time. Here the loop over positions is inside the kernel, with the belief in registers. The arithmetic is the same, in
float32; `tests/model/semantic` compares both, with gradients, in Triton's interpreter.

Letters are those of `themes.py`: B(i, j) the belief in i as first and j as second interest, a and h. In `_backward` a
name `to_x` is the derivative of the loss by x.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

LEAST_TILE = 16  # rows and columns of a program's tile are a power of two, and no fewer than these
WARPS = 4


def filter_pairs(
    likelihood: Tensor, otherwise: Tensor, first: Tensor, shift: Tensor, pairs: Tensor
) -> tuple[Tensor, Tensor]:
    """As `themes.filter_pairs`: (B, L, K), (B, L, 1), (), (), (B, K, K) → π (B, L, K), belief (B, K, K)."""
    return _PairFilter.apply(first * likelihood + otherwise, (1 - first) * likelihood, first, shift, pairs)


class _PairFilter(torch.autograd.Function):
    """as_first, as_second (B, L, K): likelihood of a choice under each theme as the first, or the second, interest."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        as_first: Tensor,
        as_second: Tensor,
        first: Tensor,
        shift: Tensor,
        pairs: Tensor,
    ) -> tuple[Tensor, Tensor]:
        as_first, as_second, pairs = (part.contiguous() for part in (as_first, as_second, pairs))
        batch, length, themes = as_first.shape
        by_first, by_second = as_first.new_empty(2, batch, length, themes)
        before = as_first.new_empty(batch, length, themes, themes)  # belief before every choice, for `backward`
        belief = torch.empty_like(pairs)
        _forward[(batch,)](
            as_first, as_second, pairs, shift, by_first, by_second, before, belief, length,
            K=themes, TILE=_tile(themes), num_warps=WARPS,
        )  # fmt: skip
        ctx.save_for_backward(as_first, as_second, before, first, shift)
        return first * by_first + (1 - first) * by_second, belief

    @staticmethod
    def backward(ctx, to_themes: Tensor, to_belief: Tensor) -> tuple[Tensor, ...]:
        as_first, as_second, before, first, shift = ctx.saved_tensors
        batch, length, themes = as_first.shape
        to_as_first, to_as_second = torch.empty_like(as_first), torch.empty_like(as_second)
        to_pairs = torch.empty_like(to_belief, memory_format=torch.contiguous_format)
        to_first, to_shift = as_first.new_empty(2, batch)
        _backward[(batch,)](
            as_first, as_second, before, first, shift, to_themes.contiguous(), to_belief.contiguous(),
            to_as_first, to_as_second, to_pairs, to_first, to_shift, length,
            K=themes, TILE=_tile(themes), num_warps=WARPS,
        )  # fmt: skip
        return to_as_first, to_as_second, to_first.sum(), to_shift.sum(), to_pairs


def _tile(themes: int) -> int:
    return max(LEAST_TILE, triton.next_power_of_2(themes))


@triton.jit
def _forward(
    as_first_ptr, as_second_ptr, pairs_ptr, shift_ptr, by_first_ptr, by_second_ptr, before_ptr, belief_ptr, L,
    K: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    i = tl.arange(0, TILE)
    j = tl.arange(0, TILE)
    cell = i[:, None] * K + j[None, :]
    inside = (i[:, None] < K) & (j[None, :] < K)
    differ = inside & (i[:, None] != j[None, :])
    shift = tl.load(shift_ptr)
    pairs = tl.load(pairs_ptr + b * K * K + cell, mask=inside, other=0.0)
    for t in range(L):
        at = b * L + t
        tl.store(before_ptr + at * K * K + cell, pairs, mask=inside)
        as_first = tl.load(as_first_ptr + at * K + i, mask=i < K, other=0.0)
        as_second = tl.load(as_second_ptr + at * K + j, mask=j < K, other=0.0)
        weighed = pairs * (as_first[:, None] + as_second[None, :])
        chosen = weighed / tl.sum(tl.sum(weighed, axis=1), axis=0)  # after the choice
        moved = tl.sum(chosen, axis=1) * (shift / (K - 1))
        pairs = (1 - shift) * chosen + tl.where(differ, moved[None, :], 0.0)  # after a shift of interests
        tl.store(by_first_ptr + at * K + i, tl.sum(pairs, axis=1), mask=i < K)
        tl.store(by_second_ptr + at * K + j, tl.sum(pairs, axis=0), mask=j < K)
    tl.store(belief_ptr + b * K * K + cell, pairs, mask=inside)


@triton.jit
def _backward(
    as_first_ptr, as_second_ptr, before_ptr, first_ptr, shift_ptr, to_themes_ptr, to_belief_ptr,
    to_as_first_ptr, to_as_second_ptr, to_pairs_ptr, to_first_ptr, to_shift_ptr, L,
    K: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    i = tl.arange(0, TILE)
    j = tl.arange(0, TILE)
    cell = i[:, None] * K + j[None, :]
    inside = (i[:, None] < K) & (j[None, :] < K)
    differ = inside & (i[:, None] != j[None, :])
    first = tl.load(first_ptr)
    shift = tl.load(shift_ptr)
    to_next = tl.load(to_belief_ptr + b * K * K + cell, mask=inside, other=0.0)
    to_first = tl.zeros((TILE,), dtype=tl.float32)
    to_shift = tl.zeros((TILE,), dtype=tl.float32)
    for back in range(L):
        at = b * L + (L - 1 - back)
        # what the forward pass computed at this position
        before = tl.load(before_ptr + at * K * K + cell, mask=inside, other=0.0)
        as_first = tl.load(as_first_ptr + at * K + i, mask=i < K, other=0.0)
        as_second = tl.load(as_second_ptr + at * K + j, mask=j < K, other=0.0)
        evidence = as_first[:, None] + as_second[None, :]
        weighed = before * evidence
        total = tl.sum(tl.sum(weighed, axis=1), axis=0)
        chosen = weighed / total
        fresh = tl.where(differ, tl.sum(chosen, axis=1)[None, :], 0.0) / (K - 1)
        pairs = (1 - shift) * chosen + shift * fresh
        # and its derivatives, in the opposite order
        to_themes_i = tl.load(to_themes_ptr + at * K + i, mask=i < K, other=0.0)
        to_themes_j = tl.load(to_themes_ptr + at * K + j, mask=j < K, other=0.0)
        to_first += tl.sum(pairs * (to_themes_i[:, None] - to_themes_j[None, :]), axis=1)
        to_pairs = to_next + first * to_themes_i[:, None] + (1 - first) * to_themes_j[None, :]
        to_pairs = tl.where(inside, to_pairs, 0.0)
        to_shift += tl.sum(to_pairs * (fresh - chosen), axis=1)
        to_moved = tl.sum(tl.where(differ, to_pairs, 0.0), axis=0) * (shift / (K - 1))
        to_chosen = (1 - shift) * to_pairs + to_moved[:, None]
        to_weighed = (to_chosen - tl.sum(tl.sum(to_chosen * chosen, axis=1), axis=0)) / total
        to_weighed = tl.where(inside, to_weighed, 0.0)
        to_next = to_weighed * evidence
        to_evidence = to_weighed * before
        tl.store(to_as_first_ptr + at * K + i, tl.sum(to_evidence, axis=1), mask=i < K)
        tl.store(to_as_second_ptr + at * K + j, tl.sum(to_evidence, axis=0), mask=j < K)
    tl.store(to_pairs_ptr + b * K * K + cell, to_next, mask=inside)
    tl.store(to_first_ptr + b, tl.sum(to_first, axis=0))
    tl.store(to_shift_ptr + b, tl.sum(to_shift, axis=0))
