"""Confidence of a figure: bootstrap over users, because one user's targets are not independent of each other.

Users are drawn with replacement, each with all of their targets, and the mean over the drawn targets is taken again.
Ends of intervals are percentiles of those means.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over targets and the interval that holds 95 % of the resampled means."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """Mean of A minus mean of B, and the probability of such a difference by chance (two-sided)."""

    p: float


def mean_interval(
    values: np.ndarray, users: np.ndarray | None = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean of `values` (T,), one for each target, as `metrics.outcomes` gives them. NaN does not count.

    users int (T,) is the user of each target; None: every target has another user. Raises ValueError for fewer than two
    users.
    """
    value, means = _resampled_means(values, users, resamples, seed)
    low, high = _ends(means)
    return Interval(value, low, high)


def paired_difference(
    a: np.ndarray, b: np.ndarray, users: np.ndarray | None = None, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """mean(a) − mean(b) over the same targets (T,), and its p: does A beat B on other users like these?

    Average over seeds before calling, so that a and b hold one number for each target. p counts the resampled
    differences on the far side of zero; its smallest value is 2 / (resamples + 1).
    """
    if np.shape(a) != np.shape(b):
        raise ValueError(f"A and B must hold the same targets, not {np.shape(a)} and {np.shape(b)}.")
    value, means = _resampled_means(np.asarray(a) - np.asarray(b), users, resamples, seed)
    beyond = min((means <= 0).sum(), (means >= 0).sum())
    low, high = _ends(means)
    return Difference(value, low, high, p=min(1.0, 2 * (int(beyond) + 1) / (resamples + 1)))


def _resampled_means(
    values: np.ndarray, users: np.ndarray | None, resamples: int, seed: int
) -> tuple[float, np.ndarray]:
    """The mean over targets, and the same of every resample (R,)."""
    there = ~np.isnan(values)
    of_user = np.arange(there.sum()) if users is None else np.unique(users[there], return_inverse=True)[1]
    counts = np.bincount(of_user)
    if len(counts) < 2:
        raise ValueError("An interval needs at least two users.")
    sums = np.bincount(of_user, weights=values[there])

    def mean(sums: np.ndarray, counts: np.ndarray, axis: int = -1) -> np.ndarray:
        return sums.sum(axis) / counts.sum(axis)

    drawn = stats.bootstrap(
        (sums, counts),
        mean,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        batch=250,  # 250 × users indices at a time
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(mean(sums, counts)), drawn.bootstrap_distribution


def _ends(means: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
