"""GRU4Rec (Hidasi et al. 2016; Tan et al. 2016): a gated recurrent unit over the item vectors."""

import torch
from torch import Tensor, nn

from m2rec.baselines.settings import BaselineSettings, Positive


class Gru4RecSettings(BaselineSettings):
    """Shape of GRU4Rec."""

    hidden: Positive = 128  # of the recurrent state
    layers: Positive = 1


class Gru4Rec(nn.Module):
    """dropout → GRU → projection back to the width of the item vectors."""

    def __init__(self, settings: Gru4RecSettings) -> None:
        super().__init__()
        self.dropout = nn.Dropout(settings.dropout)
        self.gru = nn.GRU(settings.width, settings.hidden, settings.layers, batch_first=True)
        self.out = nn.Linear(settings.hidden, settings.width)
        for name, weight in self.gru.named_parameters():
            if name.startswith("weight"):
                nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        return self.out(self._recur(x)[0])

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the projection is cheaper than in `forward`."""
        hidden, _ = self._recur(x)
        return self.out(hidden[torch.arange(len(x), device=x.device), lengths - 1])

    def start(self, batch: int) -> Tensor:
        """The hidden state of every layer, (layers, B, hidden)."""
        return self.out.weight.new_zeros(self.gru.num_layers, batch, self.gru.hidden_size)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, d) → (B, d) and the new state."""
        hidden, state = self._recur(x[:, None], state)
        return self.out(hidden[:, 0]), state

    def _recur(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The GRU in float32: autocast would copy its weights at every call and round its state at every step."""
        with torch.autocast(x.device.type, enabled=False):
            return self.gru(self.dropout(x.float()), state)
