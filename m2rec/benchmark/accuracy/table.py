"""A plan's table of results, made from its finished runs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.plan import Entry, Plan
from m2rec.benchmark.accuracy.result import Result
from m2rec.errors import DataError
from m2rec.evaluation.bootstrap import mean_interval, paired_difference
from m2rec.evaluation.metrics import outcomes
from m2rec.evaluation.ranks import Ranks, load_ranks
from m2rec.evaluation.seen import Seen

COMPARED = ("HR@10", "NDCG@10")
BOUNDED = (*COMPARED, "MRR@10")  # the figures with an interval
SEEN: tuple[Seen, ...] = ("unmasked", "masked")

Finished = Sequence[tuple[Job, Result]]


def table_of(plan: Plan, finished: Finished, checkpoint: Ranks | None = None) -> dict[str, Any]:
    """Means over seeds, one row a model, and comparisons of the reference with every other model.

    A row has test figures only if the plan uses the test set: "unmasked" and, if some targets are new to their users,
    "masked", each with standard deviations over seeds ("unmasked_sd", 0 for one seed) and 95 % intervals over users
    ("unmasked_interval"). `checkpoint` holds the ranks of the world's checkpoint. They replace a reference
    without a finished run, in the plan that is named for its world, and "compared" is then "checkpoint" instead of
    "run". Raises DataError when ranks are damaged, or two models have different targets.
    """
    by_name: dict[str, list[tuple[Job, Result]]] = defaultdict(list)
    for job, result in finished:
        by_name[result.model].append((job, result))
    ordered = [entry.name for entry in plan.entries if entry.name in by_name]
    described = {entry.name: entry for entry in plan.entries}
    ranks = {name: [load_ranks(job.ranks_file, job.key) for job, _ in by_name[name]] for name in ordered}
    rows = [_row(described[name], by_name[name], ranks[name]) for name in ordered]
    comparisons = []
    reference, compared = ranks.get(plan.reference, []), "run"
    if checkpoint and plan.name == plan.world and not reference:
        reference, compared = [checkpoint], "checkpoint"
    if plan.test and reference:
        others = [name for name in ordered if name != plan.reference]
        comparisons = [
            comparison(plan.reference, reference, other, ranks[other], seen, metric)
            for other in others
            for seen in _ways(by_name[other])
            for metric in COMPARED
        ]
    return {
        "world": plan.world,
        "plan": plan.name,
        "targets": finished[0][1].targets if finished else 0,
        "new_targets": int(np.isfinite(ranks[ordered[0]][0].by_seen["masked"]).sum()) if ordered else 0,
        "rows": rows,
        "compared": compared,
        "comparisons": comparisons,
    }


def _row(entry: Entry, runs: list[tuple[Job, Result]], ranks: Sequence[Ranks]) -> dict[str, Any]:
    results = [result for _, result in runs]
    first = results[0]
    row: dict[str, Any] = {"model": first.model}
    if first.test is not None:
        for seen in _ways(runs):
            row[seen], row[f"{seen}_sd"] = _over_seeds([(result.test or {})[seen] for result in results])
            row[f"{seen}_interval"] = _intervals(ranks, seen)
    row["validation"], row["validation_sd"] = _over_seeds([result.validation["unmasked"] for result in results])
    if first.train_users:
        row["train_users"] = first.train_users
    if all("masked" in result.validation for result in results):
        row["validation_masked"], _ = _over_seeds([result.validation["masked"] for result in results])
    return row | {
        "seeds": sorted(result.seed for result in results),
        "ablates": entry.ablates,
        **({"remark": entry.remark} if entry.remark else {}),
        "kind": first.kind,
        "settings": first.settings,
        "training": {name: value for name, value in first.training.items() if name != "seed"},
        "treatment": first.treatment,
        "parameters": first.parameters,
        "epochs": [result.best_epoch for result in results],
        "trained_epochs": [result.epochs for result in results],
        "seconds": [result.seconds for result in results],
        "seconds_per_epoch": [round(result.seconds / max(1, result.epochs), 1) for result in results],
        "hardware": sorted({result.hardware for result in results}),
        "dates": sorted({result.date for result in results}),
        "revisions": sorted({result.revision for result in results}),
        "commands": sorted({result.command for result in results}),
    }


def _ways(runs: list[tuple[Job, Result]]) -> list[Seen]:
    """Which test figures there are; "masked" is missing when no target is new to its user."""
    return [seen for seen in SEEN if all(seen in (result.test or {}) for _, result in runs)]


def _over_seeds(figures: list[dict[str, float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Means and standard deviations over seeds; the latter are 0 for one seed."""
    values = {name: np.array([one[name] for one in figures]) for name in figures[0]}
    means = {name: float(value.mean()) for name, value in values.items()}
    return means, {name: float(value.std(ddof=1)) if len(value) > 1 else 0.0 for name, value in values.items()}


def _intervals(ranks: Sequence[Ranks], seen: Seen) -> dict[str, list[float]]:
    found = {}
    for metric in BOUNDED:
        interval = mean_interval(*_mean_outcomes(ranks, seen, metric))
        found[metric] = [interval.low, interval.high]
    return found


def comparison(
    model: str, reference: Sequence[Ranks], against: str, other: Sequence[Ranks], seen: Seen, metric: str
) -> dict[str, Any]:
    """The difference between two models' means over seeds, with a paired bootstrap over users."""
    (a, users), (b, _) = _mean_outcomes(reference, seen, metric), _mean_outcomes(other, seen, metric)
    if not np.array_equal(users, other[0].users):
        raise DataError(f"{model} and {against} were ranked on different targets; run both again.")
    found, over = paired_difference(a, b, users), float(np.nanmean(b))
    return {
        "model": model,
        "against": against,
        "seen": seen,
        "metric": metric,
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "relative": found.value / over if over else None,
        "p": found.p,
    }


def _mean_outcomes(ranks: Sequence[Ranks], seen: Seen, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """The metric at each target, averaged over the runs (T,), and the user of each target (T,)."""
    return np.mean([outcomes(one.by_seen[seen], metric) for one in ranks], axis=0), ranks[0].users
