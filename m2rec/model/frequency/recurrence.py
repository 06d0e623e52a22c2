"""What the frequency branch hands on, and the distribution over items that follows from who is due.

p(i) = exp s_i / (Σ_j exp s_j + V − n),     s_i the log-odds of the n items of the history; 0 for all others
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from m2rec.model.explanations import Explained


@dataclass
class Due:
    """The distinct items of a history and how likely each is to come next.

    items (…, X) indices, 0 in an empty slot; scores (…, X) log-odds against an item that was never chosen: 0 where an
    item has not been chosen yet, very low where it cannot come next.
    """

    items: Tensor
    scores: Tensor

    def at(self, where: Tensor) -> "Due":
        """The marked positions alone. items (B, X), scores (B, L, X), where (B, L) → (N, X) each."""
        return Due(self.items[:, None].expand(self.scores.shape)[where], self.scores[where])

    def newest(self) -> "Due":
        """The last position alone, of rows without padding: items (B, X), scores (B, L, X) → (B, X) each."""
        return Due(self.items, self.scores[:, -1])


@dataclass
class FrequencyOut:
    """y (…, d), the bands' gains (…, b), what the gate may look at (…, e); and, where the branch knows items, who is
    due and how well every choice that was read was explained before it was made.
    """

    y: Tensor
    gains: Tensor
    evidence: Tensor
    due: Due | None = None
    explained: Explained | None = None


def due_log_probability(due: Due, targets: Tensor, catalogue: int) -> Tensor:
    """log p at the targets. `due` over (N,), targets (N,), items 1 … `catalogue` compete → (N,)."""
    chosen = ((due.items == targets[:, None]) * due.scores).sum(-1)
    return chosen - _log_total(due, catalogue)


def due_log_probabilities(due: Due, catalogue: int) -> Tensor:
    """log p of items 1 … `catalogue`. `due` over (N,) → (N, V)."""
    scores = due.scores.new_zeros(len(due.scores), catalogue + 1)
    scores.scatter_(1, due.items.where(due.items <= catalogue, 0), due.scores)  # what does not compete falls on 0
    return scores[:, 1:] - _log_total(due, catalogue)[:, None]


def _log_total(due: Due, catalogue: int) -> Tensor:
    """log of Σ exp s over the items that compete, (N,)."""
    competes = (due.items > 0) & (due.items <= catalogue)
    others = catalogue - competes.sum(-1)
    there = due.scores.where(competes, -math.inf)
    return torch.logsumexp(torch.cat([there, others.log()[:, None]], dim=-1), dim=-1)
