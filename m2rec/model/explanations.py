"""How well the other two kinds of evidence explain what was chosen, which is what the semantic branch may discount."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Explained:
    """Log-odds, against an item that nothing speaks for, that a choice was called for by the one before it, and that
    it came back by a rhythm: (B, L) each, or (B,) of the newest alone.
    """

    called: Tensor
    due: Tensor


def unexplained(items: Tensor) -> Explained:
    """What a frequency branch that knows no items has to say of these, (B, L) or (B,)."""
    nothing = torch.full(items.shape, -math.inf, device=items.device)
    return Explained(nothing, nothing)
