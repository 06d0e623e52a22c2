"""Which items of a history come back at a steady distance: what the reading says and what lights up in the history."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from statistics import median

import numpy as np

STEADY = 0.6  # share of an item's gaps that must agree before it is called a rhythm
FEWEST = 3  # occurrences: two gaps, the least that can agree
SHUFFLES, SEED = 400, 95  # copies of a history whose choices are shuffled
BY_CHANCE = 0.05  # share of them that may hold an item as steady before chance is an explanation


@dataclass(frozen=True)
class Recurrence:
    """An item that comes back every `period` interactions. `due` 0 is the very next one, negative is overdue."""

    item_id: str
    period: int
    positions: tuple[int, ...]
    due: int


def _slack(period: float) -> float:
    """How far a gap may be from a period that it agrees with."""
    return max(0.6, 0.1 * period)


def _agree(gap: float, period: float) -> bool:
    return abs(gap - period) <= _slack(period)


def _places(history: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for position, item_id in enumerate(history):
        places[item_id].append(position)
    return places


def recurrences(history: Sequence[str]) -> list[Recurrence]:
    """Every steady item, the one with most occurrences first."""
    found = []
    for item_id, places in _places(history).items():
        gaps = [later - earlier for earlier, later in pairwise(places)]
        if len(places) < FEWEST:
            continue
        period = round(median(gaps))
        if period >= 2 and sum(_agree(gap, period) for gap in gaps) >= STEADY * len(gaps):
            found.append(Recurrence(item_id, period, tuple(places), places[-1] + period - len(history)))
    return sorted(found, key=lambda item: (-len(item.positions), item.due, item.item_id))


def beyond_chance(history: Sequence[str], one: Recurrence) -> bool:
    """Whether fewer than 5 in 100 shuffled copies of the history hold an item as steady as this one, at any period.

    As steady is one of which as many gaps agree, and as large a share of them.
    """
    agreeing = sum(_agree(later - earlier, one.period) for earlier, later in pairwise(one.positions))
    counts = sorted(len(places) for places in _places(history).values() if len(places) > agreeing)
    return _as_steady(len(history), tuple(counts), agreeing, agreeing / (len(one.positions) - 1)) < BY_CHANCE


@lru_cache(maxsize=256)
def _as_steady(length: int, counts: tuple[int, ...], agreeing: int, share: float) -> float:
    """How many items that come so often (each more often than `agreeing`) are as steady in a shuffled copy, on average;
    never less than the share of the copies that hold one.
    """
    chance = np.random.default_rng(SEED)
    found = 0.0
    for count in counts:
        drawn = chance.random((SHUFFLES, length)).argpartition(count - 1, axis=1)[:, :count]
        gaps: np.ndarray = np.diff(np.sort(drawn, axis=1).astype(np.float64), axis=1)
        period = np.round(np.median(gaps, axis=1, keepdims=True))
        near = (np.abs(gaps - period) <= np.maximum(0.6, 0.1 * period)).sum(1)
        found += float(((near >= agreeing) & (near >= share * (count - 1)) & (period[:, 0] >= 2)).mean())
    return found


def occurrence_pairs(history: Sequence[str]) -> list[tuple[int, int]]:
    """Positions of each two successive occurrences of an item."""
    return [pair for places in _places(history).values() for pair in pairwise(places)]


def repeating(pairs: Sequence[tuple[int, int]], period: float) -> list[int]:
    """Positions of those pairs that are one `period` (in interactions) apart."""
    slack = _slack(period)  # once for all pairs: the page asks this of every period, at every click
    return sorted({*chain.from_iterable(pair for pair in pairs if abs(pair[1] - pair[0] - period) <= slack)})


def repeats_at(history: Sequence[str], period: float) -> list[int]:
    """Positions whose item is there again one `period` (in interactions) earlier or later."""
    return repeating(occurrence_pairs(history), period)


def repeats_in_column(history: Sequence[str], row: int) -> list[int]:
    """Positions whose item is right above them when the history is folded into rows of this length."""
    return [place for place in range(row, len(history)) if history[place] == history[place - row]]


def below_by_chance(history: Sequence[str], row: int) -> float:
    """How many such positions a shuffled copy of the history has on average."""
    length = len(history)
    if length <= row:
        return 0.0
    pairs = sum(count * (count - 1) for count in Counter(history).values())
    return (length - row) * pairs / (length * (length - 1))
