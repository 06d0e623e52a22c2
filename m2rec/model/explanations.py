"""How well the other two kinds of evidence explain a choice, by which the semantic branch discounts it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Explanations:
    """Log-odds, against an item without any evidence, that a choice follows from the one before it (transition), and
    that it was due by a rhythm (recurrence): (B, L) each, or (B,) of the newest alone.
    """

    transition: Tensor
    recurrence: Tensor


def unexplained(items: Tensor) -> Explanations:
    """Where no branch explains any of these items, (B, L) or (B,)."""
    nothing = torch.full(items.shape, -math.inf, device=items.device)
    return Explanations(nothing, nothing)
