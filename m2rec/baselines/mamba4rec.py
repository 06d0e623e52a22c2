"""Mamba4Rec (Liu et al. 2024): layers of Mamba and a position-wise network.

x ← norm(dropout(x))
x ← norm(dropout(mamba(x)))                one layer: no residual, as published
x ← norm(dropout(mamba(x)) + x)            several layers
x ← norm(feed(x) + x)
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from m2rec.baselines.blocks.feed_forward import NORM_EPSILON, FeedForward
from m2rec.baselines.blocks.mamba import Mamba, MambaState
from m2rec.baselines.settings import BaselineSettings, Positive


class Mamba4RecSettings(BaselineSettings):
    """Shape of Mamba4Rec; the defaults are the published ones for MovieLens-1M."""

    layers: Positive = 1
    state: Positive = 32
    conv: Positive = 4
    expand: Positive = 2


@dataclass(frozen=True)
class Mamba4RecState:
    """One state for each layer."""

    layers: list[MambaState]


class Layer(nn.Module):
    """One Mamba and its position-wise network."""

    def __init__(self, settings: Mamba4RecSettings) -> None:
        super().__init__()
        self.residual = settings.layers > 1
        self.mamba = Mamba(settings.width, settings.state, settings.conv, settings.expand)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.feed = FeedForward(settings.width, settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        return self._finish(self.mamba(x), x)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d)."""
        here = x[torch.arange(len(x), device=x.device), lengths - 1]
        return self._finish(self.mamba.last(x, lengths), here)

    def step(self, x: Tensor, state: MambaState) -> tuple[Tensor, MambaState]:
        """x (B, d) → (B, d) and the new state."""
        out, state = self.mamba.step(x, state)
        return self._finish(out, x), state

    def _finish(self, out: Tensor, x: Tensor) -> Tensor:
        out = self.dropout(out)
        return self.feed(self.norm(out + x if self.residual else out))


class Mamba4Rec(nn.Module):
    """The encoder: a stack of layers over item vectors."""

    def __init__(self, settings: Mamba4RecSettings) -> None:
        super().__init__()
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        x = self.norm(self.dropout(x))
        for layer in self._stack():
            x = layer(x)
        return x

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the layers below the top one run over all positions."""
        x = self.norm(self.dropout(x))
        *below, top = self._stack()
        for layer in below:
            x = layer(x)
        return top.last(x, lengths)

    def start(self, batch: int) -> Mamba4RecState:
        """The state before the first item."""
        return Mamba4RecState([layer.mamba.start(batch) for layer in self._stack()])

    def step(self, x: Tensor, state: Mamba4RecState) -> tuple[Tensor, Mamba4RecState]:
        """x (B, d) → (B, d) and the new state."""
        x = self.norm(self.dropout(x))
        after = []
        for layer, before in zip(self._stack(), state.layers, strict=True):
            x, layer_state = layer.step(x, before)
            after.append(layer_state)
        return x, Mamba4RecState(after)

    def _stack(self) -> list[Layer]:
        return cast(list[Layer], list(self.layers))
