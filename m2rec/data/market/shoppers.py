"""Four customers of the shipped market, day by day, with the true cause of each purchase and what the fair oracle held.

`shoppers.csv` holds what `shoppers_of` chooses from the whole market, so that the page can show a customer whose causes
are known without making the market. They are test customers: no model was trained on them. Written by

    python -m m2rec market shoppers m2rec/data/market/shoppers.csv
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from m2rec.data.market.settings import CAUSES

if TYPE_CHECKING:
    from m2rec.data.market.market import Market

FILE = Path(__file__).with_name("shoppers.csv")
MOST_DAYS = 110
DECIMALS = 4  # of the oracle's probabilities
SHOWN = {  # key → title and description
    "shopper": ("A usual customer", "buys by rhythms, chains and taste in the usual proportions"),
    "shopper-rhythm": ("A customer of rhythms", "buys mostly by rhythms"),
    "shopper-chain": ("A customer of chains", "buys mostly by chains"),
    "shopper-taste": ("A customer of one taste", "buys mostly by taste"),
}
KNOWN = "new to the model, and the true cause of each day is known"


@dataclass(frozen=True)
class Shopper:
    """A customer: items bought, oldest first, the cause of each (one of `CAUSES`) and the period of its rhythm, 0 where
    there is none; `oracle` float (D, 4), what the fair oracle gave each cause before the purchase.
    """

    key: str
    title: str
    about: str
    item_ids: tuple[str, ...]
    causes: tuple[str, ...]
    periods: tuple[int, ...]
    oracle: np.ndarray


def shoppers_of(market: "Market") -> pd.DataFrame:
    """Rows of `key`, `user`, `day` (from 1), `item`, `cause`, `period` and the oracle's probability of each cause.

    Of test customers with at most `MOST_DAYS` days; among equals the first. The oracle takes some seconds.
    """
    from m2rec.data.market.customers import TEST
    from m2rec.data.market.generate import customer_names
    from m2rec.data.market.oracles.oracles import fair  # imports SciPy, which a page without this command does not need

    lengths = market.sequences.lengths
    rows = np.flatnonzero((market.customers.roles == TEST) & (lengths <= MOST_DAYS))
    shares = np.stack([_shares(market.causes[market.events_of(rows[at : at + 1])]) for at in range(len(rows))])
    rhythm, chain, taste = shares[:, :3].T
    usual = np.abs(shares - _shares(market.causes)).sum(1)
    chosen = [rows[usual.argmin()], rows[rhythm.argmax()], rows[chain.argmax()], rows[taste.argmax()]]
    names, items = customer_names(len(market.customers)), market.shop.catalogue.table["item"].to_numpy(dtype=object)
    tables = []
    for key, row in zip(SHOWN, chosen, strict=True):
        events = market.events_of(np.array([row]))
        expected = fair(market, np.array([row])).causes.round(DECIMALS)
        tables.append(
            pd.DataFrame(
                {
                    "key": key,
                    "user": names[row],
                    "day": market.sequences.positions[events] + 1,
                    "item": items[market.sequences.events[events] - 1],
                    "cause": np.array(CAUSES, dtype=object)[market.causes[events]],
                    "period": market.periods[events].astype(np.int64),
                    **{cause: expected[:, code] for code, cause in enumerate(CAUSES)},
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _shares(causes: np.ndarray) -> np.ndarray:
    """How much of the purchases each cause accounts for: int (N,) → (4,)."""
    return np.bincount(causes, minlength=len(CAUSES)) / len(causes)


@cache
def shipped_shoppers() -> tuple[Shopper, ...]:
    """The four, as they come with the package."""
    table = pd.read_csv(FILE, dtype={"user": str, "item": str})
    found = []
    for key, (title, about) in SHOWN.items():
        theirs = table[table["key"] == key]
        found.append(
            Shopper(
                key,
                title,
                f"{theirs['user'].iloc[0].replace('-', ' ').capitalize()} {about}; {KNOWN}",
                tuple(theirs["item"]),
                tuple(theirs["cause"]),
                tuple(int(period) for period in theirs["period"]),
                theirs[list(CAUSES)].to_numpy(),
            )
        )
    return tuple(found)


def causes_of(history: Sequence[str]) -> Shopper | None:
    """The shopper whose days these are, from the first on; None where no shopper bought just this."""
    length = len(history)
    whole = tuple(history)
    return next((one for one in shipped_shoppers() if length and one.item_ids[:length] == whole), None)
