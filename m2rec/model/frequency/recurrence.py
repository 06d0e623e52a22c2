"""The distribution over items given which of them are due to recur.

p(i) = exp s_i / (Σ_j exp s_j + V − n),     s_i the log-odds of the n items of the history; 0 for all others
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from m2rec.model.branch import BranchOutput


@dataclass
class RecurrenceScores:
    """The distinct items of a history and how likely each is to come next.

    items (…, X) indices, 0 in an empty slot; scores (…, X) log-odds against an item that was never chosen: 0 where an
    item has not been chosen yet, very low where it cannot be next.
    """

    items: Tensor
    scores: Tensor

    @classmethod
    def of(cls, out: BranchOutput) -> "RecurrenceScores":
        """From the periodic branch's output, over the same positions."""
        return cls(out.detail["items"], out.detail["scores"])


def recurrence_log_prob(recurrence: RecurrenceScores, targets: Tensor, catalogue: int) -> Tensor:
    """log p at the targets. `recurrence` over (N,), targets (N,), items 1 … `catalogue` compete → (N,)."""
    chosen = ((recurrence.items == targets[:, None]) * recurrence.scores).sum(-1)
    return chosen - _log_total(recurrence, catalogue)


def recurrence_log_probs(recurrence: RecurrenceScores, catalogue: int) -> Tensor:
    """log p of items 1 … `catalogue`. `recurrence` over (N,) → (N, V)."""
    scores = recurrence.scores.new_zeros(len(recurrence.scores), catalogue + 1)
    scores.scatter_(
        1, recurrence.items.where(recurrence.items <= catalogue, 0), recurrence.scores
    )  # items that do not compete go to index 0
    return scores[:, 1:] - _log_total(recurrence, catalogue)[:, None]


def _log_total(recurrence: RecurrenceScores, catalogue: int) -> Tensor:
    """log of Σ exp s over the items that compete, (N,)."""
    competes = (recurrence.items > 0) & (recurrence.items <= catalogue)
    others = catalogue - competes.sum(-1)
    there = recurrence.scores.where(competes, -math.inf)
    return torch.logsumexp(torch.cat([there, others.log()[:, None]], dim=-1), dim=-1)
