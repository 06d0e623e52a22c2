"""Four customers of Online Retail, by number only, so that the gift shop has real histories on any machine.

`customers.csv` holds what `customers_of` chooses from the whole table, which is under CC0 (see `online_retail.py`).
"""

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from m2rec.data.dataset import Dataset
from m2rec.data.market.shoppers import Shopper, shipped_shoppers
from m2rec.data.settings import Source
from m2rec.data.sources.online_retail import NAME
from m2rec.data.sources.person import Person, person_of
from m2rec.data.tables.times import SECONDS_A_DAY

FILE = Path(__file__).with_name("customers.csv")
WEEK = 7
FEWEST_DAYS = 12  # of a customer whose days of the week are tested
LINES_OF_ONE_ORDER = 20
SHOWN = {  # key → title and description; the first is the "real person" of the lessons
    "person": ("Customer {user}, a regular", "Orders on more days than anybody else with a history this short"),
    "weekday": (
        "Customer {user}, Wednesday to Friday",
        "Of all customers the one whose days of the week are most alike: a rhythm in when they order, not in what",
    ),
    "same-again": ("Customer {user}, the same again", "One product on more days than anybody else bought any"),
    "once": ("Customer {user}, who came once", "A single order, as of a third of all customers"),
}


def people_of(source: Source, item_ids: Collection[str], longest: int) -> tuple[Person, ...]:
    """Real histories of a source, the most regular first; of each only `item_ids`, and at most the newest `longest`.

    Those that come with the package where a source may be shown, else one from the data on this machine, or none. Those
    of the market are invented like all of it: what they have is the true cause of each purchase.
    """
    if source == "rhythm-market":
        return tuple(_shopper(one, longest) for one in shipped_shoppers() if {*one.item_ids} <= {*item_ids})
    if source == NAME:
        return tuple(_only(one, item_ids, longest) for one in shipped_customers())
    person = person_of(source, item_ids, longest)
    return () if person is None else (person,)


def _shopper(one: Shopper, longest: int) -> Person:
    return Person(one.item_ids[-longest:], (), one.key, one.title, one.about)


def _only(person: Person, item_ids: Collection[str], longest: int) -> Person:
    pairs = [pair for pair in zip(person.item_ids, person.days, strict=True) if pair[0] in item_ids][-longest:]
    return replace(person, item_ids=tuple(item for item, _ in pairs), days=tuple(day for _, day in pairs))


def customers_of(dataset: Dataset, longest: int = 200) -> pd.DataFrame:
    """Rows of `key`, `user`, `item`, `timestamp`, oldest first, of four customers with at most `longest` lines.

    Of equally suitable customers the one with the smallest number is taken.
    """
    lines = dataset.interactions.assign(day=dataset.interactions["timestamp"] // SECONDS_A_DAY)
    counts = lines.groupby("user").agg(lines=("item", "size"), days=("day", "nunique")).sort_index()
    counts = counts[counts["lines"] <= longest]
    known = lines[lines["user"].isin(counts.index)]
    often = known[known["user"].isin(counts.index[counts["days"] >= FEWEST_DAYS])]
    days_of_item = known.groupby(["user", "item"])["day"].nunique()
    once = counts[(counts["days"] == 1) & (counts["lines"] == LINES_OF_ONE_ORDER)]
    chosen = {
        "person": counts["days"].idxmax(),
        "weekday": often.groupby("user")["day"].agg(_faithfulness).idxmax(),
        "same-again": days_of_item.idxmax()[0],
        "once": once.index[0],
    }
    rows = [known[known["user"] == user].sort_values("position").assign(key=key) for key, user in chosen.items()]
    return pd.concat(rows)[["key", "user", "item", "timestamp"]].reset_index(drop=True)


def _faithfulness(days: pd.Series) -> float:
    """1 where all days are the same day of the week, about 0 where they are spread evenly."""
    return float(np.abs(np.exp(2j * np.pi * days.unique() / WEEK).mean()))


@cache
def shipped_customers() -> tuple[Person, ...]:
    """The four, as they come with the package."""
    table = pd.read_csv(FILE, dtype={"user": str, "item": str})
    people = []
    for key, (title, about) in SHOWN.items():
        theirs = table[table["key"] == key]
        days = (theirs["timestamp"] // SECONDS_A_DAY).tolist()
        people.append(Person(tuple(theirs["item"]), tuple(days), key, title.format(user=theirs["user"].iloc[0]), about))
    return tuple(people)
