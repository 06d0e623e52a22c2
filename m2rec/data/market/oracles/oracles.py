"""Two oracles, each of which forecasts from a history what comes next and why.

The informed oracle has each customer's rhythms, phases and current interests. The fair one has the settings and the
shop but nothing about the customer: like a model, it must infer that from the same history. Before each purchase both
give a probability to every item and to every cause; the latter is what a gate should say.
"""

from dataclasses import dataclass

import numpy as np

from m2rec.data.market.customers import Customers
from m2rec.data.market.market import Market, in_history
from m2rec.data.market.oracles.interest_belief import InterestBelief
from m2rec.data.market.oracles.known_rhythms import KnownRhythms
from m2rec.data.market.oracles.rhythm_belief import RhythmBelief
from m2rec.data.market.process import sees_arrivals


@dataclass(frozen=True)
class Forecast:
    """An oracle's forecast of N purchases before they are made, in the order of `Market.events_of`."""

    items: np.ndarray  # float64 (N, V+1) probabilities; no item has none
    causes: np.ndarray  # float64 (N, 4) probabilities, in the order of `CAUSES`


def informed(market: Market, rows: np.ndarray) -> Forecast:
    """Forecasts for every day of these customers by the informed oracle. Exact."""
    shop, customers = market.shop, market.customers[rows]
    items, interests = market.days(market.sequences.events, rows), market.days(market.interests, rows)
    rhythms = KnownRhythms(market.settings, customers)
    record = _Record(market, customers)
    for day in range(items.shape[1]):
        shares = np.zeros((len(rows), len(shop.catalogue.themes)))
        for place, weight in enumerate(market.settings.interest_weights):
            shares[np.arange(len(rows)), interests[:, day, place]] = weight
        base = record.base(items, day, shares)
        wins, none = rhythms.expect()
        by_rhythm = np.zeros(base.shape)
        by_rhythm[np.arange(len(rows))[:, None], customers.rhythm_items] = wins  # unused ones name item 0, with 0
        record.add(by_rhythm, none, base)
        rhythms.observe(items[:, day], base[np.arange(len(rows)), items[:, day]])
    return record.forecast()


def fair(market: Market, rows: np.ndarray) -> Forecast:
    """Forecasts for every day of these customers by the fair oracle, which infers them from their histories.

    Chains are exact and so is the filter over interests; see `rhythm_belief` for what is approximate about rhythms.
    Memory grows with the number of customers, about 3 MB each: pass some dozens at a time.
    """
    shop, customers = market.shop, market.customers[rows]
    items = market.days(market.sequences.events, rows)
    rhythms = RhythmBelief(market.settings, shop.standing, len(rows), items.shape[1])
    interests = InterestBelief(market.settings, len(rows), len(shop.catalogue.themes))
    record = _Record(market, customers)
    everybody = np.arange(len(rows))
    for day in range(items.shape[1]):
        bought = items[:, day]
        shares = interests.shares()
        base = record.base(items, day, shares)
        by_rhythm, none = rhythms.expect()
        record.add(by_rhythm, none, base)
        seen = bought > 0
        rhythms.observe(bought, np.where(seen, base[everybody, bought], 1.0))

        free = none * (1 - shop.pull[record.previous]) * market.settings.taste_share
        themes = shop.by_theme[sees_arrivals(market.settings, customers, day).astype(int), :, bought]  # (C, T)
        taste = free * (themes * shares).sum(axis=1)
        other_causes = by_rhythm[everybody, bought] + none * base[everybody, bought] - taste
        interests.observe(free[:, None] * themes, np.where(seen, np.maximum(other_causes, 0), 1.0))  # < 0 by rounding
    return record.forecast()


class _Record:
    """Collects the forecasts of some customers, day by day."""

    def __init__(self, market: Market, customers: Customers) -> None:
        self._shop, self._customers = market.shop, customers
        self._items: list[np.ndarray] = []
        self._causes: list[np.ndarray] = []

    def base(self, items: np.ndarray, day: int, shares: np.ndarray) -> np.ndarray:
        """`Shop.base` on this day: items (C, D), shares (C, T) of the themes → (C, V+1)."""
        self.previous = items[:, day - 1] if day else np.zeros(len(items), dtype=items.dtype)
        return self._shop.base(self.previous, shares, sees_arrivals(self._shop.settings, self._customers, day))

    def add(self, by_rhythm: np.ndarray, none: np.ndarray, base: np.ndarray) -> None:
        """One more day: by_rhythm (C, V+1), none (C,), base (C, V+1)."""
        self._items.append(by_rhythm + none[:, None] * base)
        free = none[:, None] * self._shop.base_causes(self.previous)
        self._causes.append(np.concatenate([by_rhythm.sum(axis=1, keepdims=True), free], axis=1))

    def forecast(self) -> Forecast:
        """All days of the customers' histories."""
        seen = in_history(self._customers.lengths)
        return Forecast(np.stack(self._items, axis=1)[seen], np.stack(self._causes, axis=1)[seen])
