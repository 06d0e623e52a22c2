"""One real person's history with its dates, to show the model at work on real data."""

from collections.abc import Collection
from dataclasses import dataclass

from m2rec.data.settings import Source
from m2rec.data.sources.registry import LAYOUTS, find_layout
from m2rec.data.tables.times import SECONDS_A_DAY


@dataclass(frozen=True)
class Person:
    """Item ids, oldest first, and the day of each since 1970; no days where there is no calendar."""

    item_ids: tuple[str, ...]
    days: tuple[int, ...]
    key: str = "person"
    title: str = "A real person"
    about: str = "Somebody's own list with its dates, from the data that the model learnt from"


def person_of(source: Source, item_ids: Collection[str], longest: int) -> Person | None:
    """The person with the most days, of all who chose at most `longest` items; only `item_ids` are counted.

    None where this machine has no such data, or where it has no clock times.
    """
    found = find_layout(source) if source in LAYOUTS else None
    if found is None:
        return None
    layout, path = found
    events = layout.read(path).interactions
    if "timestamp" not in events:
        return None
    events = events[events["item"].isin(item_ids)]
    day = events["timestamp"] // SECONDS_A_DAY
    counts = events.assign(day=day).groupby("user").agg(items=("item", "size"), days=("day", "nunique"))
    counts = counts[counts["items"] <= longest].sort_index()
    if counts.empty:
        return None
    user = counts["days"].idxmax()
    theirs = events[events["user"] == user].sort_values("position")
    return Person(tuple(theirs["item"].astype(str)), tuple(int(one) for one in day[theirs.index]))
