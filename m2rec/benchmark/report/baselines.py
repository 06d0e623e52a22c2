"""The README's rows beside a world's checkpoint: baselines, ablations, and which of them are not trained yet."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from m2rec.benchmark.accuracy.plan import Plan, known_plans, load_plan
from m2rec.errors import DataError

SHOWN = ("HR@10", "NDCG@10", "MRR@10")
SEEN = ("unmasked", "masked")
LEAST_P = 0.001  # smaller p values are shown as "p < 0.001"


@dataclass(frozen=True)
class Row:
    """One line of the world's table."""

    model: str
    seen: str
    cells: list[str]
    seeds: int


@dataclass(frozen=True)
class Baselines:
    """Rows for the world's table, and Markdown that follows it."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def baselines(world: str, benchmarks: Path, targets: int) -> Baselines:
    """What `benchmark train` found on this world's `targets` test events; empty where no plan is about it.

    Raises DataError when the table is damaged or about other targets.
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
                f"{path} is about {found['targets']:,} targets, and the checkpoint of {world} was measured on "
                f"{targets:,}; make it again with `{_command(plan)}`."
            )
        others = [rows[entry.name] for entry in plan.entries if entry.name in rows and _is_baseline(plan, entry.name)]
        # one seed of the reference is the checkpoint itself
        others = [row for row in others if row["model"] != plan.reference or len(row["seeds"]) > 1]
        shown = [_row(row, seen, plan) for row in others for seen in SEEN]
        notes = [*_trained(others, plan), *_comparisons(found["comparisons"], plan), *_ablations(rows, plan)]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is not a readable benchmark table; make it again with `{_command(plan)}`.") from error
    return Baselines(shown, [*notes, *_missing(rows, plan)])


def cell(value: float, *, sd: float | None = None, low: float | None = None, high: float | None = None) -> str:
    """A figure with its spread over seeds, or its interval over users, where there is one."""
    if sd is not None:
        return f"{value:.4f} ± {sd:.4f}"
    return f"{value:.4f}" if low is None or high is None else f"{value:.4f} ({low:.3f}–{high:.3f})"


def _is_baseline(plan: Plan, name: str) -> bool:
    return not next(entry for entry in plan.entries if entry.name == name).ablates


def _row(row: dict[str, Any], seen: str, plan: Plan) -> Row:
    name = row["model"] if row["model"] != plan.reference else f"{plan.reference}, trained anew"
    return Row(name, seen, [_figure(row, seen, metric) for metric in SHOWN], len(row["seeds"]))


def _figure(row: dict[str, Any], seen: str, metric: str) -> str:
    value = float(row[seen][metric])
    if len(row["seeds"]) > 1:
        return cell(value, sd=row[f"{seen}_sd"][metric])
    low, high = row[f"{seen}_interval"][metric]
    return cell(value, low=low, high=high)


def _trained(rows: list[dict[str, Any]], plan: Plan) -> list[str]:
    if not rows:
        return []
    hardware = sorted({device for row in rows for device in row["hardware"]})
    dates = sorted({date for row in rows for date in row["dates"]})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    several = " ± is the standard deviation over seeds." if any(len(row["seeds"]) > 1 for row in rows) else ""
    # a shipped checkpoint may have been trained on: its card, not this line, knows for how long
    how = (
        "The baselines had the same split, loss and batches and the world's own epochs, untuned "
        f"(the card in checkpoints/ says what M2Rec had), by `{_command(plan)}`"
    )
    return [f"{how} on {', '.join(hardware)}, {when}.{several}", ""]


def _comparisons(comparisons: list[dict[str, Any]], plan: Plan) -> list[str]:
    """M2Rec's lead in HR@10 over each baseline, on the same users."""
    leads = [
        f"{one['difference']:+.4f} over {one['against']} ({_p_value(one['p'])})"
        for one in comparisons
        if (one["seen"], one["metric"]) == (SEEN[0], SHOWN[0]) and _is_baseline(plan, one["against"])
    ]
    return [f"M2Rec's lead in HR@10, items left in, paired over users: {', '.join(leads)}.", ""] if leads else []


def _p_value(p: float) -> str:
    return f"p < {LEAST_P}" if p < LEAST_P else f"p = {p:.3f}"


def _ablations(rows: dict[str, dict[str, Any]], plan: Plan) -> list[str]:
    removed = [(entry.ablates, rows[entry.name]) for entry in plan.entries if entry.ablates and entry.name in rows]
    if not removed:
        return []
    if plan.reference in rows:
        removed.insert(0, ("nothing", rows[plan.reference]))
    lines = ["What each part is worth, items left in:", "", "| taken away from M2Rec | HR@10 | NDCG@10 | seeds |"]
    lines.append("| --- | --- | --- | --- |")
    for words, row in removed:
        cells = " | ".join(_figure(row, SEEN[0], metric) for metric in SHOWN[:2])
        lines.append(f"| {words} | {cells} | {len(row['seeds'])} |")
    return [*lines, ""]


def _missing(rows: dict[str, dict[str, Any]], plan: Plan) -> list[str]:
    missing = [entry for entry in plan.entries if entry.name not in rows and entry.name != plan.reference]
    if not missing:
        return []
    others = [entry.name for entry in missing if not entry.ablates]
    ablations = [entry.name for entry in missing if entry.ablates]
    parts = [", ".join(names) for names in (others, ablations) if names]
    return [f"Not trained yet, and so not in a table: {'; '.join(parts)}. `{_command(plan)}` trains them.", ""]


def _command(plan: Plan) -> str:
    return f"python -m m2rec benchmark train {plan.name}"
