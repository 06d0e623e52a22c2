"""Ranks in, figures out.

Every target is ranked among all items of the catalogue; nothing is sampled. A rank is 1 + the number of items scored
strictly higher + half the number of other items with the same score: the mean rank over all ways to break the ties, so
a model that scores all items alike gets the rank of chance and not the first place.

    HR@k    1 if rank ≤ k
    NDCG@k  1 / log2(1 + rank) if rank ≤ k     (one relevant item, so the ideal gain is 1)
    MRR@k   1 / rank if rank ≤ k
"""

import numpy as np
import torch
from torch import Tensor

from m2rec.errors import NotFiniteError

METRICS = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR@10", "MRR@20")


def ranks(scores: Tensor, targets: Tensor, seen: Tensor | None = None) -> Tensor:
    """The rank of each target among the items, 1 is best, float64 (N,).

    scores (N, V), the higher the better, column i for item i + 1; targets int (N,), item indices 1…V; seen bool (N, V)
    marks items that do not compete. The target itself always competes, also where it is marked as seen.

    Raises NotFiniteError for a score that is not a number: every comparison with it is false, which would look like
    rank 1.
    """
    if torch.isnan(scores).any():
        raise NotFiniteError("A score is not a number, so its item has no rank; the model is broken.")
    target = scores.gather(1, targets[:, None] - 1)  # (N, 1)
    higher, equal = scores > target, scores == target
    equal.scatter_(1, targets[:, None] - 1, False)
    if seen is not None:
        higher &= ~seen
        equal &= ~seen
    return 1 + higher.sum(1, dtype=torch.float64) + equal.sum(1, dtype=torch.float64) / 2


def outcomes(ranks: np.ndarray, metric: str) -> np.ndarray:
    """The value of each target for `metric` (one of `METRICS`, or the same with another k): ranks (N,) → float64 (N,).

    A target without a rank (NaN) adds NaN, which `summary` and the bootstrap leave out.
    """
    kind, _, cutoff = metric.partition("@")
    hit = np.where(np.isnan(ranks), np.nan, ranks <= int(cutoff))
    if kind == "HR":
        return hit
    if kind == "NDCG":
        return hit / np.log2(1 + ranks)
    if kind == "MRR":
        return hit / ranks
    raise ValueError(f"{metric!r} is not a metric: choose HR@k, NDCG@k or MRR@k.")


def summary(ranks: np.ndarray) -> dict[str, float]:
    """The mean of every metric over the targets that have a rank, at least one of ranks (N,) → {"HR@5": …, …}."""
    return {metric: float(np.nanmean(outcomes(ranks, metric))) for metric in METRICS}
