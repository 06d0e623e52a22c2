"""The days of a computation side by side, which every strip of it stands under, and the strips."""

from collections.abc import Sequence
from dataclasses import dataclass

from m2rec.branches import BranchName
from m2rec.recommend.explain.computation import Computation
from m2rec.ui.render.context import PageContext

MOST_COLUMNS = 60  # the newest days: more would be too narrow to see


@dataclass(frozen=True)
class Day:
    """One item of the history. `number` counts from the visitor's first."""

    number: int
    title: str
    own: bool  # the item that is explained


@dataclass(frozen=True)
class Part:
    """A piece of a bar: `look` is its class in the style sheet, heights are in per cent of the strip."""

    look: str
    height: float
    below: bool = False  # it hangs from the zero line


@dataclass(frozen=True)
class Strip:
    """One row under the days: a bar for each of them, stacked from below.

    `value` stands at its right end, `said` describes it to who cannot see it. `signed` strips have their zero line in
    the middle.
    """

    kind: BranchName | None
    label: str
    value: str
    said: str
    bars: list[list[Part]]
    signed: bool = False
    size: str = "low"


def days_of(context: PageContext, found: Computation, day: int) -> list[Day]:
    """The newest of the first `day` items of the visitor's history that the model read."""
    shown = found.history[-MOST_COLUMNS:]
    first = day - len(shown)
    return [
        Day(first + place, context.world.named(entry), entry == found.item.item_id)
        for place, entry in enumerate(shown, start=1)
    ]


def newest(values: Sequence[float], columns: int, fill: float = 0.0) -> list[float]:
    """By lag (0 the newest) → by column, oldest first: `columns` numbers, `fill` where there is none."""
    given = list(values[:columns])
    return [fill] * (columns - len(given)) + given[::-1]


def bars(values: Sequence[float], look: str, largest: float | None = None) -> list[list[Part]]:
    """One bar each, relative to the largest (in size), or to what is given."""
    top = largest if largest is not None else max((abs(value) for value in values), default=0.0)
    return [[Part(look, 100 * abs(value) / top, value < 0)] if top and value else [] for value in values]
