"""The parts of an answer: ranked items, a spectrum, themes. Plain data for charts and tables."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from m2rec.branches import BRANCHES, BranchName

PerBranch = dict[BranchName, float]  # one number for each branch, such as its gate weight

Period = TypeVar("Period", int, float)


def per_branch(values: Iterable[float]) -> PerBranch:
    """Numbers in the order of `BRANCHES`, by the branches' keys."""
    return dict(zip(BRANCHES, values, strict=True))


def above_chance(periods: Sequence[Period], power: Sequence[float], threshold: Sequence[float]) -> list[Period]:
    """Periods whose power is above the threshold, strongest first."""
    rows = zip(periods, power, threshold, strict=True)
    excess = [(height / level, period) for period, height, level in rows if height > level]
    return [period for _, period in sorted(excess, reverse=True)]


def local_peaks(periods: Sequence[Period], power: Sequence[float], among: Sequence[Period]) -> list[Period]:
    """Those of `among` that have more power than their neighbours, shortest first: a wide peak counts once."""
    padded = [0.0, *power, 0.0]
    highest = {period for at, period in enumerate(periods) if padded[at] <= padded[at + 1] > padded[at + 2]}
    return sorted(highest & {*among})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RankedItem(_Frozen):
    """One recommendation. `contributions`, one from each branch, sum to `probability`."""

    rank: int  # 1 is best
    item_id: str
    title: str
    group: str
    probability: float
    contributions: PerBranch


class Spectrum(_Frozen):
    """Power of the history against period, beside the level of chance and the gain of the model's filter.

    All lists share one length, one entry per period, shortest period first. `period` is in interactions.
    `power` is 1 on average for a history without rhythm. `threshold` is the level that only 5 % of
    shuffled copies of the same history exceed anywhere. `filter_gain` is the gain of the model's
    frequency filter for this very history, 0…1 relative to its largest.
    """

    period: list[float]
    power: list[float]
    threshold: list[float]
    filter_gain: list[float]

    @property
    def significant(self) -> list[float]:
        """Periods whose power is above the threshold, strongest first."""
        return above_chance(self.period, self.power, self.threshold)

    @property
    def peaks(self) -> list[float]:
        """Of these, the ones higher than their neighbours, shortest first: a wide peak is named once."""
        return local_peaks(self.period, self.power, self.significant)


class Invention(_Frozen):
    """An invented item: whether any item of the world is similar, and the titles of the most similar ones.

    `similarity` is that of the nearest one: the cosine between the meanings of the two texts, −1…1.
    """

    text: str
    alike: bool
    similarity: float
    nearest: list[str]


class Theme(_Frozen):
    """One theme of a person's taste: its share, and titles that are typical of it."""

    share: float
    items: list[str]
