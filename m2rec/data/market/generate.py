"""Makes the Rhythm Market: settings in, world out, byte for byte the same on every machine."""

import numpy as np
import pandas as pd

from m2rec.data.cache import cache_dir
from m2rec.data.dataset import Dataset
from m2rec.data.market.customers import draw_customers
from m2rec.data.market.market import Market, in_history
from m2rec.data.market.process import UNUSED, Days, simulate
from m2rec.data.market.settings import DEFAULT, MarketSettings
from m2rec.data.market.shop.shop import open_shop
from m2rec.data.sequences import Sequences
from m2rec.errors import DataError
from m2rec.world_names import MARKET

USERS_STREAM = 1  # of the random numbers; the shop has stream 0, so that it is the same for any number of customers


def generate(settings: MarketSettings = DEFAULT) -> Market:
    """Make the world of these settings. 20,000 customers take some seconds on one core."""
    shop = open_shop(settings)
    random = np.random.Generator(np.random.Philox(key=[settings.seed, USERS_STREAM]))
    customers = draw_customers(shop, random)
    days = simulate(shop, customers, random)
    seen = in_history(customers.lengths)
    everybody = np.arange(len(customers))[:, None]
    longest = seen.shape[1]
    trimmed = Days(**{name: values[:, :longest] for name, values in vars(days).items()})
    return Market(
        settings=settings,
        customers=customers,
        sequences=Sequences(trimmed.items[seen], np.concatenate([[0], np.cumsum(customers.lengths)])),
        causes=trimmed.causes[seen],
        periods=np.where(trimmed.rhythms == UNUSED, 0, customers.rhythm_periods[everybody, trimmed.rhythms]).astype(
            np.int8
        )[seen],
        cycles=_cycles(trimmed.rhythms)[seen],
        interests=trimmed.interests[seen],
    )


def cached_market(settings: MarketSettings = DEFAULT) -> Market:
    """The same, kept in the cache folder: made once, or anew when the settings have changed."""
    folder = cache_dir() / MARKET
    try:
        market = Market.load(folder)
    except DataError:
        market = None
    if market is None or market.settings != settings:
        market = generate(settings)
        market.save(folder)
    return market


def market_dataset(market: Market | None = None) -> Dataset:
    """The world as two tables, for `prepare`; the default is the market of the default settings.

    Users are in the order of `market.customers` and their days in the order of `market.sequences`, so the prepared
    sequences match the market purchase by purchase. Split it with `by_user` and the settings' shares and seed.
    """
    market = market or cached_market()
    names = customer_names(len(market.customers))
    table = market.shop.catalogue.table
    items = table[["item", "title", "text", "group"]]
    interactions = pd.DataFrame(
        {
            "user": np.repeat(names, market.sequences.lengths),
            "item": items["item"].to_numpy(dtype=object)[market.sequences.events - 1],
            "position": market.sequences.positions,
        }
    )
    return Dataset(MARKET, interactions, items.copy())


def customer_names(count: int) -> np.ndarray:
    """The names of the first `count` customers, object (count,)."""
    return np.array([f"customer-{number:05d}" for number in range(1, count + 1)], dtype=object)


def _cycles(rhythms: np.ndarray) -> np.ndarray:
    """How often each day's rhythm had occurred before: int (U, D) rhythm or -1 → int16 (U, D)."""
    cycles = np.zeros(rhythms.shape, dtype=np.int16)
    for rhythm in range(rhythms.max(initial=-1) + 1):
        shows = rhythms == rhythm
        cycles[shows] = (np.cumsum(shows, axis=1) - 1)[shows]
    return cycles
