"""The order of recommendations: the more probable first, equal ones by item id, and none that is marked as left out."""

import numpy as np

LEFT_OUT = -1.0  # in place of a probability


def best_places(ranking: np.ndarray, k: int, order: np.ndarray) -> np.ndarray:
    """Places of the k best, best first; fewer where fewer are not left out.

    ranking (V,), order (V,) the place of each item when sorted by id → (≤ k,).
    """
    k = min(k, int((ranking >= 0).sum()))
    if not k:
        return np.zeros(0, dtype=np.int64)
    candidates = np.flatnonzero(ranking >= np.partition(ranking, -k)[-k])
    return candidates[np.lexsort((order[candidates], -ranking[candidates]))][:k]


def rank_in(ranking: np.ndarray, place: int, order: np.ndarray) -> int | None:
    """The rank of an item, 1 for the best; None for one that is left out. ranking, order (V,)."""
    own = ranking[place]
    if own < 0:
        return None
    before = (ranking > own) | ((ranking == own) & (order < order[place]))
    return 1 + int(before.sum())
