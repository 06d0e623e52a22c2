"""What each part of the model is worth, from the recorded file of a plan of ablations: M2Rec without it, beside M2Rec.

Both were trained for as long. That is shorter than the shipped model was, so these figures are compared with each other
and with no others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m2rec.ui.panels.standing import MEASURE


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
    """The whole first, then what costs most; and how they were made."""

    rows: list[Ablation]
    budget: str
    made: str
    command: str


def ablations(table: dict[str, Any]) -> Ablations | None:
    """From a table of `m2rec benchmark`; None where it has no ablations, or not the whole model beside them.

    Raises KeyError, TypeError or ValueError where it is no such table.
    """
    rows = [row for row in table["rows"] if "unmasked" in row]
    whole = next((row for row in rows if row.get("kind") == "m2rec" and not row.get("ablates")), None)
    parts = [row for row in rows if row.get("ablates")]
    if whole is None or not parts:
        return None
    lost = {
        one["against"]: (float(one["difference"]), float(one["low"]), float(one["high"]))
        for one in table["comparisons"]
        if one["seen"] == "unmasked" and one["metric"] == MEASURE
    }
    shown = [_ablation(row, str(row["ablates"]), lost.get(row["model"])) for row in parts]
    shown.sort(key=lambda one: one.value)
    epochs = whole["training"]["epochs"]
    return Ablations(
        [_ablation(whole, "nothing: M2Rec itself", None), *shown],
        f"{epochs} epoch{'s' * (epochs != 1)}",
        ", ".join(str(whole[name][0]) for name in ("hardware", "dates") if whole.get(name)),
        str((whole.get("commands") or ["–"])[0]),
    )


def path_of(benchmarks: Path, world: str) -> Path:
    """Where the ablations of a world are recorded."""
    return benchmarks / f"{world}-ablations.json"


def _ablation(row: dict[str, Any], taken_away: str, lost: tuple[float, float, float] | None) -> Ablation:
    low, high = row.get("unmasked_interval", {}).get(MEASURE, (None, None))
    return Ablation(taken_away, float(row["unmasked"][MEASURE]), low, high, lost)
