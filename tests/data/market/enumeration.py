"""The fair oracle's plain twin: every set of at most two rhythms, each with its exact joint likelihood.

Nothing is shared with `rhythm_belief` and `interest_belief`: bits of both rhythms and both interests are kept jointly.
Feasible for short histories and few periods only.
"""

from itertools import product

import numpy as np

from m2rec.data.market.oracles.occurrences import DUE, NOT_DUE, day_kinds, first_bit, steps
from m2rec.data.market.shop.shop import Shop

UNSEEN = -1


def rhythm_probabilities(shop: Shop, history: np.ndarray) -> np.ndarray:
    """P(a rhythm is due) before each day of a training customer's history (D,), given the days before. → (D,)"""
    items, periods, phases, prior = _sets(shop, history)
    table, themes = steps(shop.settings), len(shop.catalogue.themes)
    bits = first_bit(shop.settings, periods, phases)  # (N, 2, bit)
    differ = 1 - np.eye(themes)
    states = np.einsum("n,na,nb,fs->nabfs", prior, bits[:, 0], bits[:, 1], differ / differ.sum())
    found, previous = [], 0
    for day, item in enumerate(history):
        kinds = day_kinds(periods, phases, day)
        none = _move(states, table[kinds[:, 0], NOT_DUE], table[kinds[:, 1], NOT_DUE])
        found.append(1 - none.sum() / states.sum())
        first = _move(states, table[kinds[:, 0], DUE], table[kinds[:, 1]].sum(axis=1))
        second = _move(states, table[kinds[:, 0], NOT_DUE], table[kinds[:, 1], DUE])
        hits = (items == item)[:, :, None, None, None, None]  # (N, 2, …)
        states = none * _base(shop, previous, item) + hits[:, 0] * first + hits[:, 1] * second
        fresh = states.sum(axis=4)[:, :, :, None, :] * differ / (themes - 1)  # what was first becomes second
        shift = shop.settings.interest_shift
        states = ((1 - shift) * states + shift * fresh) / states.sum()
        previous = item
    return np.array(found)


def _sets(shop: Shop, history: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Items, periods, phases (N, 2) of all sets, longer periods first, and their prior weights (N,)."""
    seen = sorted(set(history.tolist()))
    masses = {item: shop.standing[item] for item in seen} | {UNSEEN: 1 - shop.standing[seen].sum()}
    shares = shop.settings.period_weights
    singles = [
        (item, period, phase, mass * shares[period - 2] / period)
        for item, mass in masses.items()
        for period in range(2, len(shares) + 2)
        if shares[period - 2]
        for phase in range(period)
    ]
    none, one, two = shop.settings.rhythm_counts[:3]
    nothing = (0, 0, 0, 1.0)
    sets = [(nothing, nothing, none)] + [(single, nothing, one) for single in singles]
    for a, b in product(singles, repeat=2):  # drawn in either order; the longer period, or else the earlier, goes first
        if a[1] >= b[1] and (a[0] != b[0] or a[0] == UNSEEN):
            sets.append((a, b, two if a[1] == b[1] else 2 * two))
    rhythms = np.array([[a[:3], b[:3]] for a, b, _ in sets])  # (N, 2, 3)
    items, periods, phases = np.moveaxis(rhythms, 2, 0)
    return items, periods, phases, np.array([weight * a[3] * b[3] for a, b, weight in sets])


def _move(states: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """states (N, 2, 2, T, T), each rhythm's step (N, before, after)."""
    joint = np.einsum("nax,nby->nxyab", first, second).reshape(-1, 4, 4)
    return (joint @ states.reshape(len(states), 4, -1)).reshape(states.shape)


def _base(shop: Shop, previous: int, item: int) -> np.ndarray:
    """P(item | no rhythm, first and second interest), (T, T)."""
    first, second = shop.settings.interest_weights
    theme = shop.by_theme[0, :, item]
    share, pull = shop.settings.taste_share, shop.pull[previous]
    free = share * (first * theme[:, None] + second * theme) + (1 - share) * shop.popularity[item]
    return pull * shop.links[previous, item] + (1 - pull) * free
