"""From ranks to figures with intervals."""

import numpy as np

from m2rec.evaluation.bootstrap import Difference, mean_interval, paired_difference
from m2rec.evaluation.metrics import METRICS, outcomes
from m2rec.evaluation.protocol import Evaluation
from m2rec.evaluation.report import Figure
from m2rec.evaluation.seen import Seen


def with_intervals(evaluation: Evaluation) -> dict[Seen, dict[str, Figure]]:
    """Every metric both ways, each a mean over targets with its bootstrap interval over users.

    A way in which no target has a rank is left out.
    """
    return {
        seen: {metric: figure_of(outcomes(ranks, metric), evaluation.users) for metric in METRICS}
        for seen, ranks in evaluation.ranks.items()
        if np.isfinite(ranks).any()
    }


def figure_of(values: np.ndarray, users: np.ndarray) -> Figure:
    """The mean of `values` (T,) without NaN, with its interval over `users` (T,) if there are two of them or more."""
    if not _several(values, users):
        return Figure(value=float(np.nanmean(values)))
    interval = mean_interval(values, users)
    return Figure(value=interval.value, low=interval.low, high=interval.high)


def differences(whole: Evaluation, less: Evaluation) -> dict[Seen, dict[str, Difference]]:
    """By how much each metric of `whole` is above that of `less`, paired over the same targets; only those ways in
    which two users or more have a target with a rank.
    """
    return {
        seen: {metric: _difference(whole, less, seen, metric) for metric in METRICS}
        for seen, ranks in whole.ranks.items()
        if _several(ranks, whole.users)
    }


def _several(values: np.ndarray, users: np.ndarray) -> bool:
    """Whether there is an interval over users."""
    return len(np.unique(users[~np.isnan(values)])) > 1


def _difference(whole: Evaluation, less: Evaluation, seen: Seen, metric: str) -> Difference:
    a, b = (outcomes(one.ranks[seen], metric) for one in (whole, less))
    return paired_difference(a, b, whole.users)
