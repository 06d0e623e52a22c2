"""The order of recommendations: the more probable first, and none that is marked as left out.

Equal ones are ordered by the sum of their branches' own probabilities, and then by popularity: where a branch has the
weight 0, or gives many items the same probability, the others still say which is the more likely.
"""

import numpy as np

LEFT_OUT = -1.0  # in place of a probability


def weighed(branches: np.ndarray, gate: np.ndarray, without: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """g_m·p_m of each item, and their sums by which items are ranked, LEFT_OUT for those of `without`.

    branches float32 (…, M, V), gate (…, M), without bool (…, V) → float32 (…, M, V) and (…, V).
    """
    shares = branches * gate[..., None].astype(np.float32)
    ranking = shares.sum(-2)
    if without is not None:
        ranking[without] = LEFT_OUT
    return shares, ranking


def best_places(ranking: np.ndarray, k: int, branches: np.ndarray) -> np.ndarray:
    """Places of the k best, best first; fewer where fewer are not left out.

    ranking (V,), the most popular item first; branches (M, V), each branch's own probabilities → (≤ k,).
    """
    k = min(k, int((ranking >= 0).sum()))
    if not k:
        return np.zeros(0, dtype=np.int64)
    places = np.flatnonzero(ranking >= np.partition(ranking, -k)[-k])
    order = np.lexsort((-tie_break(branches[:, places]), -ranking[places]))  # of equal ones the first stays first
    return places[order[:k]]


def rank_in(ranking: np.ndarray, place: int, branches: np.ndarray) -> int | None:
    """The rank of an item, 1 for the best; None for one that is left out. As in `best_places`."""
    own = ranking[place]
    if own < 0:
        return None
    equal = np.flatnonzero(ranking == own)
    sums = tie_break(branches[:, equal])
    mine = sums[equal == place]
    before = (sums > mine) | ((sums == mine) & (equal < place))
    return 1 + int((ranking > own).sum()) + int(before.sum())


def tie_break(branches: np.ndarray) -> np.ndarray:
    """What orders equally probable items, the larger first. branches (M, V) → (V,)."""
    total: np.ndarray = branches.sum(0, dtype=np.float64)
    return total
