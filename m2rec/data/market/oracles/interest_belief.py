"""A belief over a customer's interests given the purchases: exact filtering over pairs of first and second interest."""

import numpy as np

from m2rec.data.market.settings import MarketSettings


class InterestBelief:
    """Posterior of C customers over ordered pairs of T themes. Call `shares`, then `observe`, day by day."""

    def __init__(self, settings: MarketSettings, customers: int, themes: int) -> None:
        self._weights, self._shift = settings.interest_weights, settings.interest_shift
        self._differ = 1.0 - np.eye(themes)
        self._pairs = np.tile(self._differ / self._differ.sum(), (customers, 1, 1))  # (C, T, T): [c, first, second]

    def shares(self) -> np.ndarray:
        """How much of today's taste is expected to go to each theme, float64 (C, T), rows sum to 1."""
        first, second = self._weights
        return first * self._pairs.sum(axis=2) + second * self._pairs.sum(axis=1)

    def observe(self, by_theme: np.ndarray, other_causes: np.ndarray) -> None:
        """Update by today's purchase, then by the shift of interests overnight.

        by_theme float (C, T): P(this purchase, because of taste | its theme is the one of interest); other_causes
        float (C,): P(this purchase, for any other reason).
        """
        first, second = self._weights
        likelihood = other_causes[:, None, None] + first * by_theme[:, :, None] + second * by_theme[:, None, :]
        pairs = self._pairs * likelihood
        pairs /= pairs.sum(axis=(1, 2), keepdims=True)
        becomes_second = pairs.sum(axis=2)[:, None, :]  # what was first; the new first is any other theme
        fresh = becomes_second * self._differ / (len(self._differ) - 1)
        self._pairs = (1 - self._shift) * pairs + self._shift * fresh
