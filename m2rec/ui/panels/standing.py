"""Recorded results for charts: all models on one scale, below the best possible result, and results by cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from m2rec.data.market.settings import CAUSES
from m2rec.evaluation.benchmark_rows import has_repeat_bias, seed_count
from m2rec.evaluation.report import GateMeasurement, Measurement
from m2rec.evaluation.seen import SEEN, Seen, nothing_twice
from m2rec.ui.render.numbers import signed

MEASURE = "HR@10"
GROUPS = (*CAUSES, "arrivals")


@dataclass(frozen=True)
class Standing:
    """One model's figure, from 0 to 1, or its mean over seeds. `low` and `high` are its 95 % interval if measured."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    kind: str = ""  # "ours", "ceiling", or "" for a baseline
    seeds: int = 1

    @property
    def label(self) -> str:
        """The name, and over how many seeds the figure is a mean."""
        return self.name if self.seeds == 1 else f"{self.name}, mean of {self.seeds} seeds"


@dataclass(frozen=True)
class Ranking:
    """All models, best last, with seen items left in or taken out. `about` and `lead` describe it in words."""

    seen: Seen
    title: str
    about: str
    standings: list[Standing]
    lead: str


@dataclass(frozen=True)
class ByCause:
    """HR@10 of the model and the fair oracle for the targets with this cause."""

    cause: str
    targets: int
    model: float
    oracle: float


def rankings(
    measurements: Sequence[Measurement],
    rows: Sequence[dict[str, Any]],
    table: Mapping[str, Any],
    gates: GateMeasurement | None,
) -> list[Ranking]:
    """The models with seen items left in and taken out, the fairer comparison first; unmeasured ones are missing.

    `rows` are the baselines of `table`, a recorded file of `m2rec benchmark`.
    """
    measurements = [one for one in measurements if one.split == "test"]
    counts = {one.seen: one.targets for one in measurements}
    whole = counts.get("unmasked") or table.get("targets")
    new = counts.get("masked") or table.get("new_targets")
    never_twice = nothing_twice(whole, new)
    unaware = [str(row["model"]) for row in rows if never_twice and not has_repeat_bias(row)]
    about: dict[Seen, str] = {"unmasked": _left_in(unaware), "masked": _taken_out(whole, new, gates)}
    found = [
        Ranking(seen, SEEN[seen], words, standings, _lead(standings, table.get("comparisons", ()), seen))
        for seen, words in about.items()
        if (standings := _standings(measurements, rows, gates, seen))
    ]
    return found[::-1] if unaware else found


def scale_of(found: Sequence[Ranking]) -> float:
    """The upper end of the scale of these charts: the largest figure, rounded up to a tenth."""
    ends = [one.high or one.value for ranking in found for one in ranking.standings]
    return ceil(10 * max(ends, default=1.0)) / 10 or 1.0


def _standings(
    measurements: Sequence[Measurement], rows: Sequence[dict[str, Any]], gates: GateMeasurement | None, seen: Seen
) -> list[Standing]:
    """All models, best last, then the fair oracle if there is one and seen items are left in.

    M2Rec is there as shipped and, if it was trained with several seeds, with its mean.
    """
    found = [
        Standing(one.model, figure.value, figure.low, figure.high, "ours")
        for one in measurements
        if one.seen == seen and (figure := one.figures.get(MEASURE))
    ]
    ours = {one.name for one in found}
    for row in rows:
        value, seeds = row.get(seen, {}).get(MEASURE), seed_count(row) or 1
        mine = row["model"] in ours
        if (mine and seeds == 1) or not isinstance(value, int | float):
            continue
        low, high = row.get(f"{seen}_interval", {}).get(MEASURE, (None, None))
        found.append(Standing(str(row["model"]), float(value), low, high, "ours" if mine else "", seeds))
    found.sort(key=lambda one: one.value)
    if found and gates and seen == "unmasked":
        found.append(Standing("fair oracle: the ceiling", gates.grades.oracle[MEASURE], kind="ceiling"))
    return found


def _left_in(unaware: Sequence[str]) -> str:
    text = "Every item may be recommended, including those of the history."
    if not unaware:
        return text
    return (
        f"{text} In this world nobody chooses anything twice. M2Rec has learned that, by its repeat bias; "
        f"{_listed(unaware)} {'has' if len(unaware) == 1 else 'have'} no such bias and "
        f"{'gives' if len(unaware) == 1 else 'give'} places to items that cannot come. "
        "So this comparison flatters M2Rec: the fair one is with seen items taken out."
    )


def _taken_out(whole: int | None, new: int | None, gates: GateMeasurement | None) -> str:
    text = "Items of the history are taken out of every model's list"
    ceiling = " The ceiling is known only with these items left in." if gates else ""
    if whole and new and new < whole:
        return f"{text}, and only the {new:,} of {whole:,} choices that were new to their customers count.{ceiling}"
    return f"{text}, so no model loses a place to them.{ceiling}"


def _lead(standings: Sequence[Standing], comparisons: Sequence[Mapping[str, Any]], seen: Seen) -> str:
    """M2Rec's difference from the best baseline, paired over users; empty if it is not recorded."""
    others = [one for one in standings if not one.kind]
    mine = [one for one in standings if one.kind == "ours"]
    if not others or not mine:
        return ""
    ours, seeds = mine[0].name, max(one.seeds for one in mine)
    best = others[-1].name
    pair = {"model": ours, "against": best, "seen": seen, "metric": MEASURE}
    paired = next((one for one in comparisons if pair.items() <= one.items()), None)
    if paired is None:
        return ""
    difference, low, high = paired["difference"], paired["low"], paired["high"]
    side = "above" if difference >= 0 else "below"
    chance = "" if low > 0 or high < 0 else ", so chance may explain it"
    whose = "M2Rec is" if seeds == 1 else f"With the mean of its {seeds} seeds, M2Rec is"
    return (
        f"{whose} {abs(difference):.4f} {side} {best}, the best of the others. Over the same users, the 95 % interval "
        f"of that difference goes from {signed(low, 4)} to {signed(high, 4)}{chance}."
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def by_cause(gates: GateMeasurement | None) -> list[ByCause]:
    """HR@10 by cause; empty in a world whose causes are unknown."""
    hits = gates.grades.hits if gates else {}
    return [
        ByCause(cause, hits[cause].targets, hits[cause].model, hits[cause].oracle) for cause in GROUPS if cause in hits
    ]
