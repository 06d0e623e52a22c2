"""What each part of the model is worth: M2Rec trained without it, compared with M2Rec, and M2Rec as shipped with one
branch switched off.

If a plan of ablations is recorded, all figures come from it. Its models are trained for the same number of epochs,
fewer than the shipped model, so they can be compared only with each other. Otherwise the figures come from the world's
own plan and are compared with the shipped model.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m2rec.evaluation.report import Advantage, Figure, Measurement, MetricsFile
from m2rec.ui.panels.standing import MEASURE

ITSELF = "nothing: M2Rec itself"
BEYOND_SEEDS = 0.01  # three seeds of the film model differ by up to .006, which intervals over users do not cover


@dataclass(frozen=True)
class Ablation:
    """M2Rec without one part, or the whole model. `low` and `high` are a 95 % interval over users.

    `lost` is how much lower `value` is than the whole model's, with a 95 % interval; None for the whole model.
    """

    taken_away: str
    value: float
    low: float | None
    high: float | None
    lost: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Ablations:
    """The whole model first, then by how much is lost. `budget` is None if the whole model is the shipped one."""

    rows: list[Ablation]
    budget: str | None
    made: str
    command: str

    @property
    def harmful(self) -> list[Ablation]:
        """The parts without which the figure is higher, by more than users and seeds explain."""
        return [one for one in self.rows if one.lost and one.lost[2] < 0 and one.lost[0] <= -BEYOND_SEEDS]


def ablations(table: dict[str, Any], shipped: Measurement | None = None) -> Ablations | None:
    """The ablations in a table of `m2rec benchmark`; None if it has none, or there is no whole model to compare with.

    `shipped` is the whole model if the table has none. Raises KeyError, TypeError or ValueError for a damaged table.
    """
    rows = [row for row in table["rows"] if "unmasked" in row]
    trained = next((row for row in rows if row.get("kind") == "m2rec" and not row.get("ablates")), None)
    parts = [row for row in rows if row.get("ablates")]
    whole: Ablation | None = None
    if trained:
        whole = _ablation(trained, ITSELF, None)
    elif shipped and (figure := shipped.figures.get(MEASURE)):
        whole = _without(ITSELF, figure)
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


def switched_off(metrics: MetricsFile) -> Ablations | None:
    """The shipped model without each of its branches, on the test part; None if that was not measured."""
    there = [one for one in metrics.current_removals if (one.split, one.seen) == ("test", "unmasked")]
    there = [one for one in there if MEASURE in one.adds]
    if not there:
        return None
    last = there[-1]
    whole = next(one for one in metrics.measurements if last.belongs_to(one))
    rows = [_without(f"the {one.branch} branch", one.figures[MEASURE], one.adds[MEASURE]) for one in there]
    rows.sort(key=lambda one: one.value)
    itself = _without(ITSELF, whole.figures[MEASURE])
    return Ablations([itself, *rows], None, f"{last.hardware}, {last.date}", last.command)


def _without(taken_away: str, figure: Figure, adds: Advantage | None = None) -> Ablation:
    lost = (adds.value, adds.low, adds.high) if adds else None
    return Ablation(taken_away, figure.value, figure.low, figure.high, lost)


def path_of(benchmarks: Path, world: str) -> Path:
    """The file in which a world's ablations are recorded."""
    return benchmarks / f"{world}-ablations.json"


def _ablation(row: dict[str, Any], taken_away: str, lost: tuple[float, float, float] | None) -> Ablation:
    low, high = row.get("unmasked_interval", {}).get(MEASURE, (None, None))
    return Ablation(taken_away, float(row["unmasked"][MEASURE]), low, high, lost)
