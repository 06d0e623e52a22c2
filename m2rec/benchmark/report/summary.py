"""The README's short table: M2Rec, the best Mamba and the best Transformer in each world."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from m2rec.benchmark.report.claims import FAMILIES
from m2rec.benchmark.report.comparisons import Rows, best_by_way, cut_short, only_in, without_texts
from m2rec.benchmark.report.figures import cell, figure
from m2rec.evaluation.benchmark_rows import seed_count
from m2rec.evaluation.report import Measurement
from m2rec.evaluation.seen import SEEN

OURS = "m2rec"  # the reference of every world's plan
METRICS = ("HR@10", "NDCG@10")
SUMMARY_HEAD = (
    f"| world | model | {' | '.join(f'{metric}, {words}' for words in SEEN.values() for metric in METRICS)} |",
    f"| --- | --- |{' --- |' * len(SEEN) * len(METRICS)}",
)


def summary(
    world: str, reached: Mapping[str, Measurement], benchmarks: Path, oracle: Mapping[str, float] | None = None
) -> list[str]:
    """One world's lines: M2Rec's figures (`reached`, by "unmasked" and "masked") and their means over seeds if it was
    trained with several, those of the baseline of each family that is best on validation, and those of the fair
    `oracle` if the world has one.

    Raises OSError, ValueError, TypeError or KeyError when the world's file is damaged.
    """
    path = benchmarks / f"{world}.json"
    rows: Rows = {row["model"]: row for row in _read(path)["rows"]} if path.is_file() else {}
    lines = [_line(world, f"**{OURS}**", [_ours(reached.get(seen), metric) for seen in SEEN for metric in METRICS])]
    again = rows.get(OURS)
    if again and (seeds := seed_count(again) or 1) > 1:
        cells = [_theirs(again, seen, metric) for seen in SEEN for metric in METRICS]
        lines.append(_line("", f"{OURS}, mean of {seeds} seeds", cells))
    for family, kinds in FAMILIES.items():
        for best, ways in best_by_way(rows, [name for name, row in rows.items() if row["kind"] in kinds]).items():
            cells = [_theirs(rows[best], seen, metric) for seen in SEEN for metric in METRICS]
            still = ", still improving at its last epoch" * cut_short(rows[best])
            lines.append(_line("", f"{best}, the best {family}{only_in(ways)}{still}", cells))
    if oracle:
        cells = [f"{oracle[metric]:.4f}" for metric in METRICS]
        lines.append(_line("", "the fair oracle", [*cells, *["–"] * len(METRICS)]))
    return lines


def texts_note(worlds: Sequence[str], benchmarks: Path) -> list[str]:
    """A sentence that names the worlds in which no trained baseline reads the items' texts; empty if there are none."""
    tables = {world: benchmarks / f"{world}.json" for world in worlds}
    names = [world for world, path in tables.items() if path.is_file() and without_texts(_read(path)["rows"])]
    if not names:
        return []
    return [f"M2Rec reads the items' texts; in {' and '.join(names)} no trained baseline does.", ""]


def _ours(measured: Measurement | None, metric: str) -> str:
    if measured is None:
        return "–"
    found = measured.figures[metric]
    return cell(found.value, low=found.low, high=found.high)


def _theirs(row: Mapping[str, Any], seen: str, metric: str) -> str:
    return figure(row, seen, metric) if seen in row else "–"


def _line(world: str, model: str, cells: Sequence[str]) -> str:
    return f"| {world} | {model} | {' | '.join(cells)} |"


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
