"""Items that are typical of each theme: a learned theme has no name.

An item is typical of theme k when the theme emits it often and other themes hardly do:
E_k(i)² / Σ_l E_l(i), with E as in `m2rec/model/semantic/themes.py`.
"""

import numpy as np

MOST_THEMES = 3
LEAST_SHARE = 0.1  # themes with a smaller weight are not shown
TYPICAL = 3


def typical_items(emissions: np.ndarray) -> list[list[int]]:
    """The items that are most typical of each theme. emissions (V, K) of items 1…V → K lists of item indices."""
    belongs = emissions**2 / emissions.sum(-1, keepdims=True)
    best = np.argsort(-belongs, axis=0, kind="stable")[:TYPICAL] + 1  # (3, K)
    found: list[list[int]] = best.T.tolist()
    return found


def strongest(themes: np.ndarray) -> list[tuple[int, float]]:
    """The themes with the largest weights. themes (K,) sums to 1 → (theme, share), best first."""
    which = np.argsort(-themes, kind="stable")[:MOST_THEMES]
    return [(int(theme), float(themes[theme])) for theme in which if themes[theme] >= LEAST_SHARE]
