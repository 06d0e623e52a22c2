"""The elementwise linear recurrence of LRURec, computed in chunks.

h_t = exp(a_t) · h_{t−1} + x_t        h_0 = 0, all elementwise; a_t real ≤ 0, or complex with a real part ≤ 0
"""

import math

import torch
from torch import Tensor

LOG2_E = math.log2(math.e)


def linear_scan(x: Tensor, log_decay: Tensor) -> Tensor:
    """All h_t. x (B, L, …); log_decay a, of the same shape or broadcastable except along L. → h like x.

    There are √L chunks of √L steps: the steps within chunks run for all chunks at once, then states are carried from
    chunk to chunk. Nothing is divided by a decay, so long histories do not overflow.
    """
    length = x.shape[1]
    chunk = math.ceil(math.sqrt(length))
    tail = -length % chunk
    if tail:
        x, log_decay = (_pad_time(part, tail) for part in (x, log_decay))
    x, log_decay = (part.unflatten(1, (-1, chunk)) for part in (x, log_decay))  # (B, n, T, …)
    decay = exp(log_decay)
    h = x[:, :, 0]
    rows = [h]
    for t in range(1, chunk):
        h = torch.addcmul(x[:, :, t], decay[:, :, t], h)
        rows.append(h)
    inside = torch.stack(rows, dim=2)
    since_start = exp(log_decay.cumsum(2))
    state = torch.zeros_like(h[:, 0])
    before = []
    for i in range(x.shape[1]):
        before.append(state)
        state = torch.addcmul(inside[:, i, -1], since_start[:, i, -1], state)
    carried = torch.stack(before, dim=1)[:, :, None]
    return torch.addcmul(inside, since_start, carried).flatten(1, 2)[:, :length]


def linear_scan_sequential(x: Tensor, log_decay: Tensor) -> Tensor:
    """The plain twin of `linear_scan`: one step after another."""
    decay = log_decay.exp().expand_as(x)
    h = torch.zeros_like(x[:, 0])
    rows = []
    for t in range(x.shape[1]):
        h = decay[:, t] * h + x[:, t]
        rows.append(h)
    return torch.stack(rows, dim=1)


def exp(x: Tensor) -> Tensor:
    """e to the power of x, for real x as a power of two. On a CPU this is up to ten times faster than `Tensor.exp`,
    which is slow for results below the smallest normal number, as decays often are.
    """
    return x.exp() if x.is_complex() else (x * LOG2_E).exp2()


def _pad_time(part: Tensor, tail: int) -> Tensor:
    return torch.cat([part, part.new_zeros(part.shape[0], tail, *part.shape[2:])], dim=1)
