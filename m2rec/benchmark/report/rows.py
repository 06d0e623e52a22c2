"""Rows of a world's table in RESULTS.md, and the notes after it."""

from dataclasses import dataclass, field

from m2rec.evaluation.seen import Seen

SHOWN = ("HR@10", "NDCG@10", "MRR@10")


@dataclass(frozen=True)
class Row:
    """One line of a world's table."""

    model: str
    seen: Seen
    cells: list[str]
    seeds: int


@dataclass(frozen=True)
class Baselines:
    """Rows for a world's table, and the Markdown lines after it."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
