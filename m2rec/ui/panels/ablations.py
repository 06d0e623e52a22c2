"""What each part of the model is worth: M2Rec without it, beside M2Rec.

Where a plan of ablations was recorded, both are of it and were trained for as long. That is shorter than the shipped
model was, so those figures are compared with each other and with no others. Else they are those of the world's own
plan, beside the shipped model.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m2rec.evaluation.report import Measurement
from m2rec.ui.panels.standing import MEASURE

ITSELF = "nothing: M2Rec itself"


@dataclass(frozen=True)
class Ablation:
    """M2Rec without one part, or the whole of it (`lost` is None then). The interval is of 95 % over users.

    `lost` is how much lower `value` is than that of the whole, with the interval of the difference between users.
    """

    taken_away: str
    value: float
    low: float | None
    high: float | None
    lost: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Ablations:
    """The whole first, then what costs most; and how they were made. `budget` is None beside the shipped model."""

    rows: list[Ablation]
    budget: str | None
    made: str
    command: str


def ablations(table: dict[str, Any], shipped: Measurement | None = None) -> Ablations | None:
    """From a table of `m2rec benchmark`; None where it has no ablations, or not the whole model beside them.

    `shipped` is the whole model where the table holds none. Raises KeyError, TypeError or ValueError where it is no
    such table.
    """
    rows = [row for row in table["rows"] if "unmasked" in row]
    trained = next((row for row in rows if row.get("kind") == "m2rec" and not row.get("ablates")), None)
    parts = [row for row in rows if row.get("ablates")]
    whole: Ablation | None = None
    if trained:
        whole = _ablation(trained, ITSELF, None)
    elif shipped and (figure := shipped.figures.get(MEASURE)):
        whole = Ablation(ITSELF, figure.value, figure.low, figure.high)
    if whole is None or not parts:
        return None
    lost = {
        one["against"]: (float(one["difference"]), float(one["low"]), float(one["high"]))
        for one in table["comparisons"]
        if one["seen"] == "unmasked" and one["metric"] == MEASURE
    }
    shown = [_ablation(row, str(row["ablates"]), lost.get(row["model"])) for row in parts]
    shown.sort(key=lambda one: one.value)
    epochs = trained["training"]["epochs"] if trained else None
    made = trained or parts[0]
    return Ablations(
        [whole, *shown],
        f"{epochs} epoch{'s' * (epochs != 1)}" if trained else None,
        ", ".join(str(made[name][0]) for name in ("hardware", "dates") if made.get(name)),
        str((made.get("commands") or ["–"])[0]),
    )


def path_of(benchmarks: Path, world: str) -> Path:
    """Where the ablations of a world are recorded."""
    return benchmarks / f"{world}-ablations.json"


def _ablation(row: dict[str, Any], taken_away: str, lost: tuple[float, float, float] | None) -> Ablation:
    low, high = row.get("unmasked_interval", {}).get(MEASURE, (None, None))
    return Ablation(taken_away, float(row["unmasked"][MEASURE]), low, high, lost)
