"""All per-item vectors that the branches share, computed once."""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

# Standard deviation of initial ID vectors and of the text projection's weights, here and in the baselines, as published
# for BSARec, WEARec and LRURec. Longer vectors are noise in the first scores: films are then learned more slowly, and
# products that are rarely chosen are learned by heart.
INITIAL_SCALE = 0.02


@dataclass
class ItemTable:
    """Per-item vectors, row 0 for padding: `inputs` of the temporal branch (e, or v), unit vector v/|v|, text part P z
    and scoring vector v = e + P z, (V + 1, d) each; popularity β, (V + 1, 1); and what each branch derives of them, by
    the branch's key.
    """

    inputs: Tensor
    unit: Tensor
    text: Tensor
    vectors: Tensor
    bias: Tensor
    derived: dict[str, Tensor] = field(default_factory=dict)

    def extended(self, text: Tensor, vectors: Tensor, inputs: Tensor, bias: Tensor) -> "ItemTable":
        """With n more items: their projected text, scoring vectors and inputs, (n, d) each, and the popularity (1, 1)
        that each has; nothing is derived yet.
        """
        return ItemTable(
            torch.cat([self.inputs, inputs]),
            torch.cat([self.unit, F.normalize(vectors, dim=-1)]),
            torch.cat([self.text, text]),
            torch.cat([self.vectors, vectors]),
            torch.cat([self.bias, bias.expand(len(text), 1)]),
        )


def usual_popularity(bias: Tensor, weight: Tensor) -> Tensor:
    """β of an item that sells as often as the mean item does: exp κβ = mean exp κβ. bias (n, 1), κ () → (1, 1)."""
    return ((weight * bias).logsumexp(0, keepdim=True) - math.log(len(bias))) / weight


def known_or_mean(vectors: Tensor, mean: Tensor) -> Tensor:
    """ID vectors (V + 1, d), and the mean (d,) where an item has none of its own; row 0 stays zero.

    A zero vector never occurs in training, and the network would treat it as strong evidence.
    """
    known = (vectors[1:] != 0).any(-1, keepdim=True)
    return torch.cat([vectors[:1], torch.where(known, vectors[1:], mean)])
