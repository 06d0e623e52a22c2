"""Each item of a history as a separate signal, 0 where it was not chosen, and operations on these signals.

Glossary: X slots, one for each distinct item of a history; b bands; W taps.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from m2rec.model.fixed_shapes import shapes_are_fixed


def distinct(items: Tensor) -> Tensor:
    """The different items of each row in rising order, then 0 where a row has fewer than others.

    (B, L) → (B, X), where X is L with fixed shapes.
    """
    ordered, _ = items.sort(dim=1)
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    new &= ordered > 0
    place = (new.cumsum(1) - 1).clamp(min=0)
    width = items.shape[1] if shapes_are_fixed() else max(1, int(new.sum(1).max()))
    slots = torch.zeros(len(items), width + 1, dtype=items.dtype, device=items.device)
    slots.scatter_(1, place.where(new, width), ordered.where(new, 0))  # repeats go to a spare slot
    return slots[:, :width]


def in_window(chosen: Tensor, taps: int) -> Tensor:
    """Whether each item was chosen within the newest `taps` interactions. bool (B, X, L) → bool (B, X, L)."""
    count = chosen.cumsum(-1)
    before = F.pad(count, (taps, 0))[..., : count.shape[-1]]
    return count > before


def at_newest(values: Tensor, occurred: Tensor) -> Tensor:
    """Values (B, 1, w, c) by lag, at the smallest lag at which each item occurred: occurred (B, n, w) → (B, n, c)."""
    lag = occurred.int().argmax(-1)[..., None].expand(-1, -1, values.shape[-1])
    return values[:, 0].gather(1, lag)


def all_but_each(log_odds: Tensor) -> Tensor:
    """log(1 + Σ_{c≠b} e^{log odds of c}) for every b, and log(1 + Σ_c …) after them. (…, b) → (…, b + 1)."""
    bands = log_odds.shape[-1]
    itself = torch.eye(bands, dtype=torch.bool, device=log_odds.device)
    others = log_odds[..., None, :].masked_fill(itself, -math.inf)
    return F.softplus(torch.cat([others.logsumexp(-1), log_odds.logsumexp(-1, keepdim=True)], -1))
