"""The items of the history itself, most frequent or most recent first.

Nothing is learned from order, text or other people; where people buy the same things again, this beats many models.
Items that are not in the history follow by their popularity.

Masked, where every item of the history is taken out, they equal popularity.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Repeats(nn.Module, ABC):
    """A score above 1 for every item of the history, below 0 for the others; there is nothing to train."""

    log_share: Tensor

    def __init__(self, train_counts: Tensor) -> None:
        """`train_counts` (V,): events of items 1…V in the training part; an item without any gets −∞."""
        super().__init__()
        counts = train_counts.double()
        self.register_buffer("log_share", (counts / counts.sum()).log().float())

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """items, where (B, L) → (N, V). An item that is only in `seen` (N, V), further back than `items` reaches,
        comes after those in `items` and before those never chosen.
        """
        rows, ends = where.nonzero(as_tuple=True)  # (N,) each
        upto = torch.arange(items.shape[1], device=items.device) <= ends[:, None]  # (N, L)
        return self._ranked(items[rows] * upto, seen)

    def last_scores(self, items: Tensor) -> Tensor:
        """items (B, L), right-padded with 0 → (B, V)."""
        return self._ranked(items, None)

    def _ranked(self, histories: Tensor, seen: Tensor | None) -> Tensor:
        """histories (N, L), 0 = none → (N, V)."""
        of_history = self._of_history(histories, len(self.log_share) + 1)[:, 1:]
        ranked = torch.where(of_history > 0, of_history + 1, self.log_share)
        if seen is not None:  # 1 / (1 − log share) lies in (0, 1) and rises with popularity
            ranked = torch.where(seen & (of_history == 0), 1 / (1 - self.log_share), ranked)
        return ranked

    @abstractmethod
    def _of_history(self, histories: Tensor, items: int) -> Tensor:
        """A positive number for each item that occurs, 0 for the others. histories (N, L) → (N, V+1)."""


class MostRecent(Repeats):
    """The item chosen last comes first, then the one before it, …"""

    def _of_history(self, histories: Tensor, items: int) -> Tensor:
        places = torch.arange(1.0, histories.shape[1] + 1, device=histories.device).expand(histories.shape)
        return histories.new_zeros(len(histories), items, dtype=torch.float).scatter_reduce(
            1, histories, places, "amax"
        )


class MostFrequent(MostRecent):
    """The item chosen most often comes first; of two chosen equally often, the one chosen later."""

    def _of_history(self, histories: Tensor, items: int) -> Tensor:
        once = torch.ones(histories.shape, device=histories.device)
        counts = histories.new_zeros(len(histories), items, dtype=torch.float).scatter_add(1, histories, once)
        return counts + super()._of_history(histories, items) / (2 * histories.shape[1])
