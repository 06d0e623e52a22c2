"""The results as a story, from the recorded files: every model on one scale below the ceiling, then cause by cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from m2rec.data.market.settings import CAUSES
from m2rec.evaluation.report import GateMeasurement, Measurement

MEASURE = "HR@10"
GROUPS = (*CAUSES, "arrivals")


@dataclass(frozen=True)
class Standing:
    """One model on the scale from 0 to 1. `low` and `high` are its 95 % interval, where one was measured."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    kind: str = ""  # ours, ceiling, or nothing for a baseline


@dataclass(frozen=True)
class ByCause:
    """How often the model and the fair oracle find what had this cause."""

    cause: str
    targets: int
    model: float
    oracle: float


def standings(
    measurements: Sequence[Measurement], rows: Sequence[dict[str, Any]], gates: GateMeasurement | None
) -> list[Standing]:
    """Every model with seen items left in, best last, and the ceiling where the process is known."""
    found = [
        Standing(one.model, figure.value, figure.low, figure.high, "ours")
        for one in measurements
        if one.seen == "unmasked" and (figure := one.figures.get(MEASURE))
    ]
    ours = {one.name for one in found}
    for row in rows:
        value = row.get("unmasked", {}).get(MEASURE)
        if row["model"] in ours or not isinstance(value, int | float):
            continue
        low, high = row.get("unmasked_interval", {}).get(MEASURE, (None, None))
        found.append(Standing(str(row["model"]), float(value), low, high))
    found.sort(key=lambda one: one.value)
    if found and gates:
        found.append(Standing("fair oracle: the ceiling", gates.grades.oracle[MEASURE], kind="ceiling"))
    return found


def by_cause(gates: GateMeasurement | None) -> list[ByCause]:
    """The hit rate by what was behind each purchase, where the process is known."""
    hits = gates.grades.hits if gates else {}
    return [
        ByCause(cause, hits[cause].targets, hits[cause].model, hits[cause].oracle) for cause in GROUPS if cause in hits
    ]
