"""The Parquet folders of `$M2REC_DATA`: MovieLens-1M and Amazon Beauty 2014, filtered and in canonical order."""

from pathlib import Path

import pandas as pd

from m2rec.data.dataset import UNKNOWN_TIME, Dataset
from m2rec.errors import DataError


def read_ml_1m_folder(folder: Path) -> Dataset:
    """MovieLens-1M, 5-core: 999,611 events of 6,040 users on 3,416 films. The clock is missing for some users."""
    interactions, items = _read(folder, "interactions"), _read(folder, "items")
    interactions["timestamp"] = interactions["timestamp"].fillna(UNKNOWN_TIME).astype("int64")
    return _dataset("ml-1m", interactions, describe_films(items))


def read_amazon_beauty_folder(folder: Path) -> Dataset:
    """Amazon Beauty 2014, 5-core: 198,502 events of 22,363 users on 12,101 products, in order but without a clock."""
    interactions, items = _read(folder, "interactions"), _read(folder, "items")
    return _dataset("amazon-beauty", interactions, items.assign(text=items["title"], group=""))


def describe_films(films: pd.DataFrame) -> pd.DataFrame:
    """Items from `item`, `title` and `genres` ("Comedy|Drama"): text is "title. genres", group the first genre."""
    genres = films["genres"].str.split("|")
    return films[["item", "title"]].assign(
        item=films["item"].astype(str),
        text=films["title"] + ". " + genres.str.join(", "),
        group=genres.str[0],
    )


def _read(folder: Path, table: str) -> pd.DataFrame:
    path = folder / f"{table}.parquet"
    if not path.is_file():
        raise DataError(f"{path} is missing; M2REC_DATA must point at the folder that holds {folder.name}.")
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}); copy it again.") from error


def _dataset(name: str, interactions: pd.DataFrame, items: pd.DataFrame) -> Dataset:
    """Ids as text, and a catalogue of exactly the items that occur, which is what the 5-core protocol ranks."""
    kept = items[items["item"].astype(str).isin(interactions["item"].unique().astype(str))]
    blank = kept["title"].str.strip() == ""
    return Dataset(
        name,
        interactions.assign(user=interactions["user"].astype(str), item=interactions["item"].astype(str)),
        kept.assign(item=kept["item"].astype(str), title=kept["title"].mask(blank, kept["item"].astype(str)))[
            ["item", "title", "text", "group"]
        ].reset_index(drop=True),
    )
