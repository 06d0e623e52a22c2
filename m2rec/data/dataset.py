"""One data set as two tables, whatever its source: the choices of each user in order, and the items."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

INTERACTION_COLUMNS = ("user", "item", "position")
ITEM_COLUMNS = ("item", "title", "text", "group")
UNKNOWN_TIME = -1


@dataclass(frozen=True)
class Dataset:
    """Two tables, with ids as text.

    `interactions` has `user`, `item`, `position` (int, rises along each user's history, gaps allowed) and may have
    `timestamp` (int64 unix seconds, -1 where unknown) and `rating` (float). `items` has one row for every item that
    can be recommended: `item`, `title`, `text` (what the text encoder reads, may be empty), `group` (may be empty).
    `notes` are sentences for the owner of the tables: what was found, assumed or dropped.
    """

    name: str
    interactions: pd.DataFrame
    items: pd.DataFrame
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for what, table, needed in (
            ("interactions", self.interactions, INTERACTION_COLUMNS),
            ("items", self.items, ITEM_COLUMNS),
        ):
            absent = [column for column in needed if column not in table.columns]
            if absent:
                raise ValueError(f"the {what} of {self.name} lack {', '.join(absent)}")


def chronological(interactions: pd.DataFrame, moment: np.ndarray) -> pd.DataFrame:
    """Order rows by user (first appearance first), then by `moment`; give every row its `position`, from 0.

    `moment` is one number per row. The sort is stable: rows of one user at the same moment keep the order of the file.
    Over half of MovieLens shares its second with another rating of the same user, and an unstable sort changes up to a
    quarter of the test targets.
    """
    users, _ = pd.factorize(interactions["user"])
    order = np.lexsort((moment, users))
    ordered = interactions.iloc[order].reset_index(drop=True)
    return ordered.assign(position=ordered.groupby("user", sort=False).cumcount())
