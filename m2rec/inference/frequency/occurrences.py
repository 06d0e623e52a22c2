"""Where in a history the same item stands: one sort of whole numbers, which NumPy does faster than anything else."""

from typing import NamedTuple

import numpy as np

BITS = 32  # of a place; what is above them is the item


class Slots(NamedTuple):
    """The different items of a history: `items` (X,) in ascending order, `last` (X,) the place of each one's newest
    choice, and `repeated`, which of these X were chosen more than once.
    """

    items: np.ndarray
    last: np.ndarray
    repeated: np.ndarray


def previous_places(items: np.ndarray) -> np.ndarray:
    """The place where each item of a history (n,) was chosen the time before, −1 where it never was: int64 (n,)."""
    chosen, places = _sorted(items)
    again = np.flatnonzero(chosen[1:] == chosen[:-1])
    result = np.full(len(items), -1)
    result[places[again + 1]] = places[again]
    return result


def slots_of(items: np.ndarray) -> Slots:
    """The different items of a history (n,)."""
    chosen, places = _sorted(items)
    newest = np.ones(len(chosen) + 1, dtype=bool)  # whether a choice is its item's newest; before the first stands one
    np.not_equal(chosen[1:], chosen[:-1], out=newest[1:-1])
    ends = np.flatnonzero(newest)
    repeated = np.flatnonzero(ends[1:] - ends[:-1] > 1)
    ends = ends[1:] - 1
    return Slots(chosen[ends], places[ends], repeated)


def _sorted(items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The items in ascending order, equal ones as they came, and the place of each."""
    keys = np.left_shift(items, BITS)
    keys |= np.arange(len(items))
    keys.sort()
    return keys >> BITS, keys & ((1 << BITS) - 1)
