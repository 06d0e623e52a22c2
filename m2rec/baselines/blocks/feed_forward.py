"""The position-wise network of Mamba4Rec, LRURec, BSARec and WEARec, with a post-norm residual connection."""

import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.items import INITIAL_SCALE

NORM_EPSILON = 1e-12  # of the published implementations


class FeedForward(nn.Module):
    """LayerNorm(x + dropout(W₂ dropout(gelu(W₁ x)))), with inner width 4 d."""

    def __init__(self, width: int, dropout: float, inner_dropout: float | None = None) -> None:
        """`inner_dropout` is the dropout between the two layers; by default it equals `dropout`."""
        super().__init__()
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.inner_dropout = nn.Dropout(dropout if inner_dropout is None else inner_dropout)
        self.norm = nn.LayerNorm(width, eps=NORM_EPSILON)
        for layer in (self.widen, self.narrow):
            nn.init.normal_(layer.weight, std=INITIAL_SCALE)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (…, d) → (…, d)."""
        inner = self.inner_dropout(F.gelu(self.widen(x)))
        return self.norm(x + self.dropout(self.narrow(inner)))
