"""From ranks to figures with intervals."""

import numpy as np

from m2rec.evaluation.bootstrap import Difference, mean_interval, paired_difference
from m2rec.evaluation.metrics import METRICS, outcomes
from m2rec.evaluation.protocol import Evaluation
from m2rec.evaluation.report import Figure
from m2rec.evaluation.seen import Seen


def with_intervals(evaluation: Evaluation) -> dict[Seen, dict[str, Figure]]:
    """Every metric both ways, each a mean over targets with its bootstrap interval over users.

    Masked figures need two users with a target that is new to them, and are left out otherwise.
    """
    return {seen: {metric: _figure(evaluation, seen, metric) for metric in METRICS} for seen in _ways(evaluation)}


def differences(whole: Evaluation, less: Evaluation) -> dict[Seen, dict[str, Difference]]:
    """By how much each metric of `whole` is above that of `less`, paired over the same targets."""
    return {seen: {metric: _difference(whole, less, seen, metric) for metric in METRICS} for seen in _ways(whole)}


def _ways(evaluation: Evaluation) -> list[Seen]:
    """The ways to rank in which there is an interval over users."""
    return [
        seen
        for seen, ranks in evaluation.ranks.items()
        if seen == "unmasked" or len(np.unique(evaluation.users[np.isfinite(ranks)])) > 1
    ]


def _figure(evaluation: Evaluation, seen: Seen, metric: str) -> Figure:
    interval = mean_interval(outcomes(evaluation.ranks[seen], metric), evaluation.users)
    return Figure(value=interval.value, low=interval.low, high=interval.high)


def _difference(whole: Evaluation, less: Evaluation, seen: Seen, metric: str) -> Difference:
    a, b = (outcomes(one.ranks[seen], metric) for one in (whole, less))
    return paired_difference(a, b, whole.users)
