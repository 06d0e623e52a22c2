"""The items of the history itself, most frequent or most recent first.

Where people buy the same things again, this beats many models, although it uses neither order nor text nor other users.
Items that are not in the history follow by popularity. With items of the history taken out, the ranking is popularity.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Repeats(nn.Module, ABC):
    """Scores above 1 for items of the history, below 0 for the others. There is nothing to train."""

    log_share: Tensor

    def __init__(self, train_counts: Tensor) -> None:
        """`train_counts` (V,): training events of items 1…V. Items without any get −∞."""
        super().__init__()
        counts = train_counts.double()
        self.register_buffer("log_share", (counts / counts.sum()).log().float())

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """Scores after each marked position. items, where (B, L) → (N, V).

        Items that are only in `seen` (N, V), because they are older than the window `items`, come after those in
        `items` and before those never chosen.
        """
        rows, ends = where.nonzero(as_tuple=True)  # (N,) each
        upto = torch.arange(items.shape[1], device=items.device) <= ends[:, None]  # (N, L)
        return self._ranked(items[rows] * upto, seen)

    def last_scores(self, items: Tensor) -> Tensor:
        """Scores after each history. items (B, L), right-padded with 0 → (B, V)."""
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
    """The most recently chosen item comes first."""

    def _of_history(self, histories: Tensor, items: int) -> Tensor:
        places = torch.arange(1.0, histories.shape[1] + 1, device=histories.device).expand(histories.shape)
        return histories.new_zeros(len(histories), items, dtype=torch.float).scatter_reduce(
            1, histories, places, "amax"
        )


class MostFrequent(MostRecent):
    """The most frequently chosen item comes first; the more recent one in a tie."""

    def _of_history(self, histories: Tensor, items: int) -> Tensor:
        once = torch.ones(histories.shape, device=histories.device)
        counts = histories.new_zeros(len(histories), items, dtype=torch.float).scatter_add(1, histories, once)
        return counts + super()._of_history(histories, items) / (2 * histories.shape[1])
