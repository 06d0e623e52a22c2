"""Every per-item vector that the branches and the head share, worked out once."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass
class ItemTable:
    """Per-item vectors, row 0 for padding: what the temporal branch reads (e, or v), unit vector v/|v| and text part
    P z, (V+1, d) each; what is scored against, (V+1, c): [v, P z, β], or [v, β] where no branch scores by text alone;
    how likely each theme is to bring the item about, (V+1, K), where the semantic branch knows themes; and what the
    item calls for next, (V+1, d), where the frequency branch knows items.
    """

    temporal: Tensor
    unit: Tensor
    text: Tensor
    scoring: Tensor
    emissions: Tensor | None = None
    calls: Tensor | None = None

    def extended(
        self, text: Tensor, temporal: Tensor, emissions: Tensor | None = None, calls: Tensor | None = None
    ) -> "ItemTable":
        """The same with n more items that are known by their projected text (n, d) alone; ID vectors they have none.

        temporal (n, d), emissions (n, K) and calls (n, d) are theirs, where the table has such.
        """
        bias = self.scoring[-1:, -1:].expand(len(text), 1)  # not ranked, so their popularity does not matter
        halves = self.scoring.shape[-1] // text.shape[-1]
        return ItemTable(
            torch.cat([self.temporal, temporal]),
            torch.cat([self.unit, F.normalize(text, dim=-1)]),
            torch.cat([self.text, text]),
            torch.cat([self.scoring, torch.cat([text.repeat(1, halves), bias], dim=-1)]),
            None if self.emissions is None or emissions is None else torch.cat([self.emissions, emissions]),
            None if self.calls is None or calls is None else torch.cat([self.calls, calls]),
        )

    @property
    def vectors(self) -> Tensor:
        """v = e + P z, (V+1, d)."""
        return self.scoring[:, : self.text.shape[-1]]

    @property
    def bias(self) -> Tensor:
        """Popularity β, (V+1, 1)."""
        return self.scoring[:, -1:]

    def inputs(self, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the three branches read of items (…): temporal, unit and text vectors, each (…, d)."""
        # embedding rather than indexing: its backward is many times faster
        return F.embedding(items, self.temporal), F.embedding(items, self.unit), F.embedding(items, self.text)
