"""The items that can be among the first k, whatever the gate, so that the page can re-rank while the gate is dragged.

p(i) = Σ_m g_m p_m(i) with weights of 0 or more, so an item that k others equal or beat in all three distributions is
never among the first k. The rest (the k-skyband of Papadias et al. 2005) is a few dozen items of any catalogue.
"""

from dataclasses import dataclass

import numpy as np

from m2rec.recommend.answer import Shares


@dataclass(frozen=True)
class Candidate:
    """An item and its probability under each branch alone, before the gate weighs them."""

    item_id: str
    title: str
    group: str
    branches: Shares


def skyband(probabilities: np.ndarray, k: int) -> list[int]:
    """Columns that fewer than k others equal or beat in every row. probabilities (M, V) → indices, best sum first.

    Of equal columns the first goes first.
    """
    order = np.argsort(-probabilities.sum(0), kind="stable")
    rows = np.ascontiguousarray(probabilities.T[order])  # (V, M): an item that beats another is above it
    first = rows[: 2 * k]  # these beat most of the others; the rest is compared one by one
    above = np.arange(len(first)) < np.arange(len(rows))[:, None]
    beaten = ((first >= rows[:, None]).all(-1) & above).sum(1)  # (V,)
    kept = np.empty_like(rows)
    found: list[int] = []
    for place in np.flatnonzero(beaten < k).tolist():
        if int((kept[: len(found)] >= rows[place]).all(1).sum()) < k:
            kept[len(found)] = rows[place]
            found.append(place)
    return order[found].tolist()
