"""LRURec (Yue et al. 2024): linear recurrent units with complex, learned decays that do not depend on the item.

    λ = exp(−exp(ν) + i·exp(θ))                        |λ| < 1 whatever ν is
    h_t = λ h_{t−1} + γ (W_in x_t + b_in)              complex, 2d wide
    x ← norm(dropout(Re(W_out h_t + b_out)) + x)
    x ← norm(feed(x) + x)

x is real, and only the real part of the output is used. Complex weights are therefore stored as pairs of real ones in
ordinary linear layers, and a checkpoint contains only real numbers.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from m2rec.baselines.blocks.feed_forward import FeedForward
from m2rec.baselines.blocks.linear_scan import linear_scan
from m2rec.baselines.settings import BaselineSettings, Positive
from m2rec.model.items import INITIAL_SCALE

RING = (0.8, 0.99)  # range of the initial |λ|


class LruRecSettings(BaselineSettings):
    """Shape of LRURec."""

    layers: Positive = 2


@dataclass(frozen=True)
class LruRecState:
    """One complex hidden state (B, 2d) for each layer."""

    hidden: list[Tensor]


class Unit(nn.Module):
    """One linear recurrence with its projections."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 2 * width  # H
        low, high = RING
        radius_squared = torch.rand(hidden) * (high**2 - low**2) + low**2
        self.nu = nn.Parameter((-0.5 * radius_squared.log()).log())
        self.theta = nn.Parameter((torch.rand(hidden) * 2 * math.pi).clamp(min=1e-4).log())
        self.gamma = nn.Parameter(0.5 * (1 - radius_squared).log())
        self.read = nn.Linear(width, 2 * hidden)  # real part, then imaginary part
        self.out = nn.Linear(2 * hidden, width)
        for layer in (self.read, self.out):
            nn.init.trunc_normal_(layer.weight, std=INITIAL_SCALE, a=-2 * INITIAL_SCALE, b=2 * INITIAL_SCALE)
            nn.init.zeros_(layer.bias)

    @property
    def log_decay(self) -> Tensor:
        """log λ, complex (H,)."""
        return torch.complex(-self.nu.exp(), self.theta.exp())

    def forward(self, x: Tensor) -> Tensor:
        """All positions. x (B, L, d) → (B, L, d)."""
        entering = self._entering(x)
        return self._leaving(linear_scan(entering, self.log_decay.expand(1, x.shape[1], -1)))

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only: a sum over items with weights λ^age. x (B, L, d), lengths (B,) → (B, d)."""
        positions = torch.arange(x.shape[1], device=x.device)
        age = lengths[:, None] - 1 - positions  # (B, L)
        entering = self._entering(x) * (age >= 0)[..., None]
        if bool((lengths == lengths[0]).all()):  # all rows have the same weights
            age = age[:1]
        weights = (age.clamp(min=0)[..., None] * self.log_decay).exp()
        return self._leaving((weights * entering).sum(1))

    def step(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """One more item. x (B, d), hidden (B, H) → (B, d) and the new hidden state."""
        hidden = self.log_decay.exp() * hidden + self._entering(x)
        return self._leaving(hidden), hidden

    def start(self, batch: int) -> Tensor:
        """The hidden state before the first item."""
        return torch.zeros(batch, len(self.nu), dtype=torch.complex64, device=self.nu.device)

    def _entering(self, x: Tensor) -> Tensor:
        """γ (W x + b), complex."""
        return torch.complex(*self.read(x).float().chunk(2, dim=-1)) * self.gamma.exp()

    def _leaving(self, hidden: Tensor) -> Tensor:
        """Re(W h + b)."""
        return self.out(torch.cat([hidden.real, hidden.imag], dim=-1))


class Block(nn.Module):
    """A recurrence and its position-wise network."""

    def __init__(self, settings: LruRecSettings) -> None:
        super().__init__()
        self.unit = Unit(settings.width)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width)
        self.feed = FeedForward(settings.width, settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        return self._finish(self.unit(x), x)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d)."""
        return self._finish(self.unit.last(x, lengths), x[torch.arange(len(x), device=x.device), lengths - 1])

    def step(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, d) → (B, d) and the new hidden state."""
        out, hidden = self.unit.step(x, hidden)
        return self._finish(out, x), hidden

    def _finish(self, out: Tensor, x: Tensor) -> Tensor:
        return self.feed(self.norm(self.dropout(out) + x))


class LruRec(nn.Module):
    """The encoder: a stack of recurrences over item vectors."""

    def __init__(self, settings: LruRecSettings) -> None:
        super().__init__()
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        x = self.norm(self.dropout(x))
        for block in self._stack():
            x = block(x)
        return x

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the blocks below the top one run over all positions."""
        x = self.norm(self.dropout(x))
        *below, top = self._stack()
        for block in below:
            x = block(x)
        return top.last(x, lengths)

    def start(self, batch: int) -> LruRecState:
        """The state before the first item."""
        return LruRecState([block.unit.start(batch) for block in self._stack()])

    def step(self, x: Tensor, state: LruRecState) -> tuple[Tensor, LruRecState]:
        """x (B, d) → (B, d) and the new state."""
        x = self.norm(self.dropout(x))
        after = []
        for block, hidden in zip(self._stack(), state.hidden, strict=True):
            x, fresh = block.step(x, hidden)
            after.append(fresh)
        return x, LruRecState(after)

    def _stack(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))
