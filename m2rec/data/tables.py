"""Anybody's data: one table of interactions, one table of items, checked on entry."""

from pathlib import Path

import numpy as np
import pandas as pd

from m2rec.data.dataset import UNKNOWN_TIME, Dataset, chronological
from m2rec.data.table_file import TableFile, read_table_file
from m2rec.errors import DataError
from m2rec.text_safety import quoted

LONGEST_ID = 200  # characters
LONGEST_CELL = 100_000  # characters of a title, text or group; readers of CSV stop at 131,072


def read_tables(interactions_path: Path, items_path: Path, name: str) -> Dataset:
    """Read two CSV or Parquet tables.

    Interactions: `user`, `item`, and `timestamp` (Unix seconds or ISO 8601) or `position` (any numbers that rise along
    a history); `rating` is optional. With both, `position` decides the order and a timestamp may be blank. Items:
    `item`, `title`, and optionally `text` (what the text encoder reads; the title where the column is absent) and
    `group`. Ids become text without surrounding blanks. Rows of one user at the same moment keep the file's order.

    Raises DataError naming the file and the line for anything that cannot be used.
    """
    items = _items(read_table_file(items_path))
    return Dataset(name, _interactions(read_table_file(interactions_path), items, items_path), items)


def _items(table: TableFile) -> pd.DataFrame:
    table.require("item", "title")
    items = table.ids("item")
    repeated = items.duplicated().to_numpy()
    if repeated.any():
        row = table.first(repeated)
        original = table.first((items == items[row]).to_numpy())
        raise DataError(f"The item {quoted(items[row])} in {table.place(row)} was already in {table.place(original)}.")
    _fit_for_an_id(table, items)
    title = _short(table, "title")
    return pd.DataFrame(
        {
            "item": items,
            "title": title.mask(title == "", items),
            "text": _short(table, "text") if "text" in table.frame else title,
            "group": _short(table, "group") if "group" in table.frame else "",
        }
    ).reset_index(drop=True)


def _fit_for_an_id(table: TableFile, items: pd.Series) -> None:
    """Ids travel in links and stand beside words of the visitor's own, which begin with a tilde."""
    long = (items.str.len() > LONGEST_ID).to_numpy()
    if long.any():
        place = table.place(table.first(long))
        raise DataError(f"The item in {place} has more than {LONGEST_ID} characters; give it a shorter id.")
    tilde = items.str.startswith("~").to_numpy()
    if tilde.any():
        row = table.first(tilde)
        raise DataError(
            f"The item {quoted(items[row])} in {table.place(row)} begins with “~”, which marks a visitor's own words; "
            "give it another id."
        )


def _short(table: TableFile, column: str) -> pd.Series:
    """A column of text, no cell longer than a catalogue takes."""
    cells = table.text(column)
    long = (cells.str.len() > LONGEST_CELL).to_numpy()
    if long.any():
        raise DataError(
            f"The {column} in {table.place(table.first(long))} has more than {LONGEST_CELL:,} characters; shorten it."
        )
    return cells


def _interactions(table: TableFile, catalogue: pd.DataFrame, items_path: Path) -> pd.DataFrame:
    table.require("user", "item", ("timestamp", "position"))
    has_position = "position" in table.frame
    users, items = table.ids("user"), table.ids("item")
    unknown = (~items.isin(catalogue["item"])).to_numpy()
    if unknown.any():
        row = table.first(unknown)
        raise DataError(f"The item {quoted(items[row])} in {table.place(row)} is not in {items_path}; add it there.")

    columns: dict[str, pd.Series | np.ndarray] = {"user": users, "item": items}
    if has_position:
        moment = table.numbers("position", blank_allowed=False)
    if "timestamp" in table.frame:
        seconds = table.unix_seconds("timestamp", blank_allowed=has_position)
        columns["timestamp"] = np.where(np.isnan(seconds), UNKNOWN_TIME, seconds).astype(np.int64)
        moment = moment if has_position else seconds
    if "rating" in table.frame:
        columns["rating"] = table.numbers("rating", blank_allowed=True)
    return chronological(pd.DataFrame(columns), moment)
