"""Rows of RESULTS.md for baselines and ablations, and notes on how they were trained and which are missing."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from m2rec.benchmark.accuracy.plan import Plan, known_plans, load_plan
from m2rec.benchmark.report.comparisons import cut_short, leads, parts, stopped, without_texts
from m2rec.benchmark.report.figures import figure
from m2rec.benchmark.report.peers import peers_of, ranks_of_runs
from m2rec.benchmark.report.rows import SHOWN, Baselines, Row
from m2rec.errors import DataError
from m2rec.evaluation.benchmark_rows import remarks
from m2rec.evaluation.ranks import Ranks
from m2rec.evaluation.seen import SEEN, Seen

ROUNDING = 1e-6  # difference that rounding may cause between two means over the same ranks


@dataclass(frozen=True)
class Shipped:
    """The figures of a world's checkpoint, and the epochs of its training."""

    figures: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict
    )  # by "unmasked" or "masked", then by metric
    epochs: Sequence[int] = ()  # of each run that led to it, in order
    ranks: Sequence[Ranks] = ()  # of the test targets, by seed


def baselines(world: str, benchmarks: Path, targets: int, shipped: Shipped | None = Shipped()) -> Baselines:
    """Results of `benchmark train` on this world's `targets` test events; empty without a plan named for the world.

    `shipped` is None for a world without a checkpoint; the plan's own run of M2Rec then has a row like the others.

    Raises DataError when the table is damaged, has other targets, or compares the baselines with another checkpoint.
    """
    if world not in known_plans():
        return Baselines()
    plan = load_plan(world)
    path = benchmarks / f"{world}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"rows": [], "comparisons": []}
        rows = {row["model"]: row for row in found["rows"]}
        if rows and found["targets"] != targets:
            raise DataError(
                f"{path} has {found['targets']:,} targets, but the checkpoint of {world} was measured on {targets:,}; "
                f"make it again with `{_command(plan)}`."
            )
        others = [rows[entry.name] for entry in plan.entries if entry.name in rows and _is_baseline(plan, entry.name)]
        names = {}
        if shipped:
            _check_compared(path, rows, found, shipped, plan)
            names[plan.reference] = f"{plan.reference}, trained again"
            # a single seed of the reference is the checkpoint itself
            others = [row for row in others if row["model"] != plan.reference or len(row["seeds"]) > 1]
        shown = [_row(row, seen, names) for row in others for seen in SEEN if seen in row]
        notes = [*_trained(others, plan, shipped), *leads(rows, found, plan)]
        notes += parts(rows, found["comparisons"], plan)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is not a readable benchmark table; make it again with `{_command(plan)}`.") from error
    short = _ablations_alone(world, benchmarks)
    peers = peers_of(world, benchmarks, targets, shipped.ranks if shipped else ranks_of_runs(benchmarks, plan))
    notes = [*notes, *peers.notes, *short.notes, *_missing({*rows, *short.trained}, plan)]
    return Baselines([*shown, *peers.rows], notes)


def without_checkpoint(benchmarks: Path, shipped: Collection[str]) -> dict[str, int]:
    """The worlds with a table of models and no checkpoint, in alphabetical order, and how many targets each has.

    Raises DataError when a table is damaged.
    """
    found = {}
    for world in known_plans():
        path = benchmarks / f"{world}.json"
        if world in shipped or not path.is_file() or load_plan(world).world != world:
            continue
        try:
            found[world] = int(json.loads(path.read_text(encoding="utf-8"))["targets"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"{path} is not a readable benchmark table ({error}); make it again.") from error
    return found


@dataclass(frozen=True)
class _Ablations:
    """The table of the ablations with few epochs, as Markdown, and which of their models are trained."""

    notes: list[str] = field(default_factory=list)
    trained: set[str] = field(default_factory=set)


def _ablations_alone(world: str, benchmarks: Path) -> _Ablations:
    name = f"{world}-ablations"
    path = benchmarks / f"{name}.json"
    if name not in known_plans() or not path.is_file():
        return _Ablations()
    plan = load_plan(name)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = {row["model"]: row for row in found["rows"]}
        return _Ablations(parts(rows, found["comparisons"], plan), set(rows))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is not a readable benchmark table; make it again with `{_command(plan)}`.") from error


def _check_compared(
    path: Path, rows: Mapping[str, Any], table: Mapping[str, Any], shipped: Shipped, plan: Plan
) -> None:
    """Raise DataError when a table's comparisons are with an earlier checkpoint than the shipped one."""
    if table.get("compared") != "checkpoint":
        return
    for one in table["comparisons"]:
        reached = shipped.figures.get(one["seen"], {}).get(one["metric"])
        then = rows[one["against"]][one["seen"]][one["metric"]] + one["difference"]
        if reached is not None and abs(then - reached) > ROUNDING:
            raise DataError(
                f"{path} compares the baselines with a checkpoint of {one['metric']} {then:.4f}, but the one here has "
                f"{reached:.4f}; make it again with `{_command(plan)} --only {one['against']}`."
            )


def _is_baseline(plan: Plan, name: str) -> bool:
    return not next(entry for entry in plan.entries if entry.name == name).ablates


def _row(row: dict[str, Any], seen: Seen, names: Mapping[str, str]) -> Row:
    name = names.get(row["model"], row["model"])
    return Row(name, seen, [figure(row, seen, metric) for metric in SHOWN], len(row["seeds"]))


def _trained(rows: list[dict[str, Any]], plan: Plan, shipped: Shipped | None) -> list[str]:
    if not rows:
        return []
    hardware = sorted({device for row in rows for device in row["hardware"]})
    dates = sorted({date for row in rows for date in row["dates"]})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    several = any(len(row["seeds"]) > 1 for row in rows)
    spread = "± is the standard deviation over seeds." if several else "1 seed each: intervals are over users."
    # the shipped checkpoint may have been trained for more epochs than the baselines
    led = " + ".join(map(str, shipped.epochs)) if shipped else ""
    ours = f" M2Rec as shipped was trained for {led} epochs (see its card)." if led else ""
    same = "the same split, loss, batches"
    which = f"The models were trained with {same}, limit of epochs, width"
    if shipped:
        which = f"The baselines were trained with {same} and limit of epochs, and with M2Rec's width"
    how = (
        f"{which}, dropout and learning rate unless the plan says otherwise; each is taken at the epoch with "
        "the highest NDCG@10 on validation, left in"
    )
    texts = " M2Rec alone reads the items' texts." * without_texts(rows)
    names = {row["model"] for row in rows}
    otherwise = [
        f" {entry.name} was trained with {_words(entry.training)}."
        for entry in plan.entries
        if entry.training and entry.name in names
    ]
    otherwise += [
        f" {entry.name} starts from the weights of {entry.starts_from} with the same seed."
        for entry in plan.entries
        if entry.starts_from and entry.name in names
    ]
    where = f"by `{_command(plan)}` on {', '.join(hardware)}, {when}."
    notes = f"{_cut_short(rows)}{texts}{''.join(otherwise)}{_stopped(rows)}{remarks(rows)}"
    return [f"{how}, {where}{ours}{notes} {spread}", ""]


def _cut_short(rows: list[dict[str, Any]]) -> str:
    still = [row["model"] for row in rows if cut_short(row)]
    if not still:
        return ""
    limit = max(row["training"]["epochs"] for row in rows if row["model"] in still)
    return f" {', '.join(still)} reached the limit of {limit} epochs while validation was still rising."


def _stopped(rows: list[dict[str, Any]]) -> str:
    """How many epochs the runs had that were stopped by hand."""
    ended = [(row["model"], max(row["trained_epochs"]), max(row["epochs"])) for row in rows if stopped(row)]
    return "".join(f" {name} was stopped after {last} epochs (best: {best})." for name, last, best in ended)


def _words(training: dict[str, Any]) -> str:
    """For example "epochs 100, patience 5"."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in training.items())


def _missing(trained: set[str], plan: Plan) -> list[str]:
    missing = [entry for entry in plan.entries if entry.name not in trained and entry.name != plan.reference]
    if not missing:
        return []
    others = [entry.name for entry in missing if not entry.ablates]
    ablations = [entry.name for entry in missing if entry.ablates]
    parts = [", ".join(names) for names in (others, ablations) if names]
    return [f"Not trained yet: {'; '.join(parts)}. `{_command(plan)}` trains them.", ""]


def _command(plan: Plan) -> str:
    return f"python -m m2rec benchmark train {plan.name}"
