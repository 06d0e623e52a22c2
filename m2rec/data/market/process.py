"""The process, day by day.

Each occurrence of a rhythm falls on its nominal day, slips to the day before or after, or is missed. On a day on which
rhythms are due, the one with the longest period is bought (cause: rhythm) and the others are lost; a rhythm of equal
period that was drawn earlier goes first. Otherwise yesterday's item is followed by one of its successors, with its own
probability (chain). If not, the purchase is an item of one of the customer's two current interests (taste), or any
item, by popularity (noise).
"""

from dataclasses import dataclass

import numpy as np

from m2rec.data.market.customers import TRAINING, Customers, pick
from m2rec.data.market.settings import CHAIN, MOST_RHYTHMS, NOISE, RHYTHM, TASTE, MarketSettings
from m2rec.data.market.shop.shop import Shop

UNUSED = -1


@dataclass(frozen=True)
class Days:
    """U customers × D days, D the longest history. Days after a customer's last one hold item 0."""

    items: np.ndarray  # int32 (U, D)
    causes: np.ndarray  # int8 (U, D) codes of `CAUSES`
    rhythms: np.ndarray  # int8 (U, D) which of the customer's rhythms it was, -1 where it was none
    interests: np.ndarray  # int8 (U, D, 2) themes: first and second interest on that day


def simulate(shop: Shop, customers: Customers, random: np.random.Generator) -> Days:
    """Every day of every customer."""
    settings, n = shop.settings, len(customers)
    shape = (n, settings.longest)
    rhythms = due_rhythms(settings, customers, random)
    interests = _interests(settings, len(shop.by_theme[0]), n, random)
    items, causes = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int8)
    themes = _stacked(shop.by_theme)  # (2, T · (V+1))
    successors = np.cumsum(shop.successor_shares, axis=1)
    everybody, previous = np.arange(n), np.zeros(n, dtype=np.int32)
    for day in range(settings.longest):
        chance = random.random((4, n))
        chain = chance[0] < shop.pull[previous]
        cause = np.where(chain, CHAIN, np.where(chance[1] < settings.taste_share, TASTE, NOISE))

        place = (chance[2, :, None] >= successors[previous, :-1]).sum(axis=1)
        followed = shop.successors[previous, np.minimum(place, (shop.successors[previous] > 0).sum(axis=1) - 1)]
        theme = interests[everybody, day, (chance[2] >= settings.interest_weights[0]).astype(np.int8)]
        with_arrivals = sees_arrivals(settings, customers, day)
        wanted = np.where(
            with_arrivals, *(np.searchsorted(themes[kind], theme + chance[3], side="right") for kind in (1, 0))
        ) % len(shop.popularity)
        anything = pick(shop.popularity, chance[3])
        item = np.choose(cause - CHAIN, [followed, wanted, anything])

        due = rhythms[:, day] != UNUSED
        item = np.where(due, customers.rhythm_items[everybody, rhythms[:, day]], item)
        items[:, day] = previous = item
        causes[:, day] = np.where(due, RHYTHM, cause)
    over = np.arange(settings.longest) >= customers.lengths[:, None]
    items[over], rhythms[over] = 0, UNUSED
    return Days(items, causes, rhythms, interests)


def sees_arrivals(settings: MarketSettings, customers: Customers, day: int) -> np.ndarray:
    """Customers whose taste may choose new arrivals on this day, bool (U,): none of the training part."""
    return (customers.roles != TRAINING) & (day >= settings.arrivals_from)


def due_rhythms(settings: MarketSettings, customers: Customers, random: np.random.Generator) -> np.ndarray:
    """Which rhythm each day belongs to: int8 (U, D), -1 where none is due."""
    winners = np.full((len(customers), settings.longest), UNUSED, dtype=np.int8)
    for rhythm in range(MOST_RHYTHMS):
        rows = np.flatnonzero(customers.rhythm_items[:, rhythm])
        period, phase = customers.rhythm_periods[rows, rhythm], customers.rhythm_phases[rows, rhythm]
        nominal, last = phase - period, settings.longest  # the occurrence before the first day may slip into it
        while (nominal <= last).any():
            chance = random.random((2, len(rows)))
            slip = np.where(chance[1] < settings.slip, -1, np.where(chance[1] < 2 * settings.slip, 1, 0))
            day = nominal + slip
            happens = np.flatnonzero((chance[0] >= settings.miss) & (day >= 0) & (day < settings.longest))
            happens = happens[winners[rows[happens], day[happens]] == UNUSED]
            winners[rows[happens], day[happens]] = rhythm
            nominal = nominal + period
    return winners


def _interests(settings: MarketSettings, themes: int, n: int, random: np.random.Generator) -> np.ndarray:
    """First and second interest on each day, int8 (n, D, 2): all pairs are equally likely at first, then shifts."""

    def other_than(theme: np.ndarray) -> np.ndarray:
        return (theme + 1 + (random.random(n) * (themes - 1)).astype(np.int8)) % themes

    interests = np.empty((n, settings.longest, 2), dtype=np.int8)
    first = (random.random(n) * themes).astype(np.int8)
    second = other_than(first)
    for day in range(settings.longest):
        if day:
            shifts = random.random(n) < settings.interest_shift
            fresh = other_than(first)
            first, second = np.where(shifts, fresh, first), np.where(shifts, first, second)
        interests[:, day, 0], interests[:, day, 1] = first, second
    return interests


def _stacked(by_theme: np.ndarray) -> np.ndarray:
    """Cumulative probabilities, theme after theme, for drawing from many themes at once.

    by_theme (…, T, V+1) → (…, T · (V+1)); the place at which theme + u is found, u in [0, 1), is
    theme · (V+1) + item.
    """
    cumulative = np.cumsum(by_theme, axis=-1)
    cumulative /= cumulative[..., -1:]
    cumulative += np.arange(by_theme.shape[-2])[:, None]
    return cumulative.reshape(*by_theme.shape[:-2], -1)
