"""What a belief over themes is about, in items: a learned theme has no name, but some items are typical of it.

An item is typical of theme k when the theme brings it about often and hardly another theme does:
E_k(i)² / Σ_l E_l(i), with E as in `m2rec/model/semantic/themes.py`.
"""

import torch
from torch import Tensor

MOST_THEMES = 3
LEAST_SHARE = 0.1  # a theme that is looked for less is not worth a line
TYPICAL = 3


def typical_items(emissions: Tensor) -> list[list[int]]:
    """The items that say best what each theme is. emissions (V+1, K), row 0 for padding → K lists of item indices."""
    belongs = emissions[1:].square() / emissions[1:].sum(-1, keepdim=True)
    best = belongs.topk(min(TYPICAL, len(belongs)), dim=0).indices + 1  # (3, K)
    return best.T.tolist()


def strongest(themes: Tensor) -> list[tuple[int, float]]:
    """The themes that are looked for most, with their shares. themes (K,) sums to 1 → (theme, share), best first."""
    shares, which = torch.topk(themes, min(MOST_THEMES, len(themes)))
    pairs = zip(which.tolist(), shares.tolist(), strict=True)
    return [(theme, share) for theme, share in pairs if share >= LEAST_SHARE]
