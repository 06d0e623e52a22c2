"""The items that can be among the first k, whatever the gate, so that the page can re-rank while the gate is dragged.

p(i) = Σ_m g_m p_m(i) with weights of 0 or more, so an item that k others equal or beat in all three distributions is
never among the first k. The rest (the k-skyband of Papadias et al. 2005) is a few dozen items of any catalogue.
"""

from typing import NamedTuple

import numpy as np

from m2rec.recommend.answer import PerBranch
from m2rec.recommend.ranking import tie_break

COMPARED_AT_ONCE = 1 << 18  # pairs of items: what a processor's cache holds


class Candidate(NamedTuple):
    """An item and its probability under each branch alone, before the gate weighs them."""

    item_id: str
    title: str
    group: str
    branches: PerBranch


def skyband(probabilities: np.ndarray, k: int) -> list[int]:
    """Columns that fewer than k others equal or beat in every row. probabilities (M, V) → indices, best sum first.

    Of equal columns the first goes first, as in `ranking.py`: a stable sort of the result by weighted sums gives
    the order of recommendations under any gate.
    """
    order = np.argsort(-tie_break(probabilities), kind="stable")
    rows = np.ascontiguousarray(probabilities[:, order])  # an item that beats another stands before it
    first = 2 * k  # these beat most of the others; what is left is compared with more of them
    while True:
        left = np.flatnonzero(_times_beaten(rows, first) < k)  # what beats an item left out by k is beaten as well
        order, compared, rows = order[left], rows.shape[1], rows[:, left]
        if first >= compared:
            return order.tolist()
        first *= 4


def _times_beaten(rows: np.ndarray, first: int) -> np.ndarray:
    """By how many of the first columns, of those before it, each is equalled or beaten in every row. (M, n) → (n,)."""
    first = min(first, rows.shape[1])
    width, places = max(1, COMPARED_AT_ONCE // max(first, 1)), np.arange(rows.shape[1])
    counts = [np.zeros(0, dtype=np.int64)]
    for begin in range(0, rows.shape[1], width):
        part = slice(begin, begin + width)
        beats = places[:first, None] < places[part]
        for row in rows:
            beats &= row[:first, None] >= row[part]
        counts.append(beats.sum(0))
    return np.concatenate(counts)
