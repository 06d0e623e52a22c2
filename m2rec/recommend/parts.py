"""The parts of an answer: ranked items, a spectrum, themes. Plain data for charts and tables."""

from pydantic import BaseModel, ConfigDict

from m2rec.branches import BranchName

Shares = dict[BranchName, float]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RankedItem(_Frozen):
    """One recommendation. `contributions` sum to `probability` (paper section on gating; `MixtureHead`)."""

    rank: int  # 1 is best
    item_id: str
    title: str
    group: str
    probability: float
    contributions: Shares


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
        rows = zip(self.period, self.power, self.threshold, strict=True)
        excess = [(power / level, period) for period, power, level in rows if power > level]
        return [period for _, period in sorted(excess, reverse=True)]

    @property
    def peaks(self) -> list[float]:
        """Of these, the ones higher than their neighbours, shortest first: a wide peak is named once."""
        power = [0.0, *self.power, 0.0]
        highest = {p for at, p in enumerate(self.period) if power[at] <= power[at + 1] > power[at + 2]}
        return sorted(highest & set(self.significant))


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
