"""The informed oracle: each customer's rhythms, phases and current interests are known, slips and misses are not.

Of a customer's up to three rhythms the filter keeps the joint distribution of their bits (see `occurrences`), eight
states, so its forecast of the next day is exact.
"""

import numpy as np

from m2rec.data.market.customers import Customers
from m2rec.data.market.oracles.occurrences import DUE, NOT_DUE, day_kinds, first_bit, steps
from m2rec.data.market.settings import MOST_RHYTHMS, MarketSettings


class KnownRhythms:
    """Forecasts of the known rhythms of C customers. Call `expect`, then `observe`, for day 0, 1, 2, …

    Customers are the last axis here, so that every operation runs over all of them at once.
    """

    def __init__(self, settings: MarketSettings, customers: Customers) -> None:
        self._customers = customers
        self._steps = np.moveaxis(steps(settings), 0, -1)  # (due, before, after, kind of day)
        bits = first_bit(settings, customers.rhythm_periods, customers.rhythm_phases)  # (C, 3, 2)
        self._states = np.einsum("ca,cb,cd->abdc", *bits.swapaxes(0, 1))  # (2, 2, 2, C), joint
        self._day = 0

    def expect(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities that each rhythm is bought today, (C, 3), and that none is due, (C,). They sum to 1."""
        kinds = day_kinds(self._customers.rhythm_periods, self._customers.rhythm_phases, self._day)
        self._after_win, still_none = [], self._states
        for rhythm in range(MOST_RHYTHMS):
            states = _move(still_none, rhythm, self._steps[DUE][..., kinds[:, rhythm]])
            for other in range(rhythm + 1, MOST_RHYTHMS):  # due or not, this one goes first
                states = _move(states, other, self._steps.sum(axis=0)[..., kinds[:, other]])
            self._after_win.append(states)
            still_none = _move(still_none, rhythm, self._steps[NOT_DUE][..., kinds[:, rhythm]])
        self._after_none = still_none
        wins = np.stack([states.sum(axis=(0, 1, 2)) for states in self._after_win], axis=1)
        return wins, still_none.sum(axis=(0, 1, 2))

    def observe(self, items: np.ndarray, base: np.ndarray) -> None:
        """Update by what was bought: items int (C,), 0 after a customer's last day; base (C,) as in `Shop.base`."""
        states = base * self._after_none
        for rhythm, after in enumerate(self._after_win):
            states += ((items == self._customers.rhythm_items[:, rhythm]) & (items > 0)) * after
        totals = states.sum(axis=(0, 1, 2))
        self._states = states / np.where(totals > 0, totals, 1)  # all 0 after a customer's last day
        self._day += 1


def _move(states: np.ndarray, rhythm: int, step: np.ndarray) -> np.ndarray:
    """Replace one rhythm's bit by tomorrow's: states (2, 2, 2, C), step (before, after, C) → (2, 2, 2, C)."""
    before = np.moveaxis(states, rhythm, 0)  # (2, …, C)
    after = [before[0] * step[0, bit] + before[1] * step[1, bit] for bit in range(2)]
    return np.stack(after, axis=rhythm)
