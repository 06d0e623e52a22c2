"""The days of a computation as columns, and strips with a bar for each day."""

from collections.abc import Sequence
from dataclasses import dataclass

from m2rec.branches import BranchName
from m2rec.recommend.explain.computation import Computation
from m2rec.ui.render.context import PageContext

MOST_COLUMNS = 60  # newest days; more columns would be too narrow


@dataclass(frozen=True)
class Day:
    """One item of the history. `number` counts from 1 for the oldest."""

    number: int
    title: str
    own: bool  # the item that is explained


@dataclass(frozen=True)
class Part:
    """A part of a bar. `look` is its CSS class, and heights are in per cent of the strip."""

    look: str
    height: float
    below: bool = False  # below the zero line


@dataclass(frozen=True)
class Strip:
    """A row with one bar for each day, stacked from below.

    `value` is shown at its right end, and `said` describes it for screen readers. `signed` strips have a zero line in
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
    """The newest of the items that the model read, which end with item `day` of the visitor's history."""
    shown = found.history[-MOST_COLUMNS:]
    first = day - len(shown)
    return [
        Day(first + place, context.world.named(entry), entry == found.item.item_id)
        for place, entry in enumerate(shown, start=1)
    ]


def newest(values: Sequence[float], columns: int, fill: float = 0.0) -> list[float]:
    """Turn values by lag (0 is the newest) into `columns` values, oldest first. Missing ones are `fill`."""
    given = list(values[:columns])
    return [fill] * (columns - len(given)) + given[::-1]


def bars(values: Sequence[float], look: str, largest: float | None = None) -> list[list[Part]]:
    """A bar for each value, relative to `largest` or else to the largest absolute value."""
    top = largest if largest is not None else max((abs(value) for value in values), default=0.0)
    return [[Part(look, 100 * abs(value) / top, value < 0)] if top and value else [] for value in values]
