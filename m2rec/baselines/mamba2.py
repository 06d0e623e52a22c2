"""Mamba-2 alone: M2Rec's temporal branch over item ids, without text, frequency branch and gate.

A comparison with it shows what the other two kinds of evidence add. Everything else is as in M2Rec.

    h = exp(θ) · norm(branch(dropout(x)))        branch: `m2rec.model.temporal`; θ a learned temperature
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from m2rec.baselines.settings import BaselineSettings, Positive
from m2rec.model.config import ModelConfig, Scales
from m2rec.model.temporal.mamba import MambaStack, MambaState


class Mamba2Settings(BaselineSettings):
    """Shape of the branch, with the names and defaults of M2Rec's settings."""

    time_scales: Scales = (2.0, 16.0, 128.0)
    heads_per_scale: Positive = 2
    head_width: Positive = 32
    state_width: Positive = 32
    conv_width: Annotated[int, Field(ge=2)] = 4
    temporal_layers: Positive = 1
    expansion: Positive = 4


class Mamba2(nn.Module):
    """The encoder: the temporal branch, normalised and scaled by a learned temperature."""

    def __init__(self, settings: Mamba2Settings) -> None:
        super().__init__()
        shape = settings.model_dump(exclude={"repeat_bias"})
        # the branch does not use the catalogue's size
        self.branch = MambaStack(ModelConfig(**shape, items=1, warm_items=1))
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.RMSNorm(settings.width)
        self.log_temperature = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        return self._finish(self.branch(self.dropout(x)))

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d)."""
        return self._finish(self.branch.last(self.dropout(x), lengths))

    def start(self, batch: int) -> list[MambaState]:
        """The state before the first item."""
        return self.branch.start(batch)

    def step(self, x: Tensor, state: list[MambaState]) -> tuple[Tensor, list[MambaState]]:
        """x (B, d) → (B, d) and the new state."""
        y, state = self.branch.step(self.dropout(x), state)
        return self._finish(y), state

    def _finish(self, y: Tensor) -> Tensor:
        return self.norm(y.float()) * self.log_temperature.exp()
