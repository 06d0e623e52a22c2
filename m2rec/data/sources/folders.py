"""The Parquet folders of `$M2REC_DATA`: MovieLens-1M and Amazon Beauty 2014, filtered and in canonical order."""

from pathlib import Path

import pandas as pd

from m2rec.data.dataset import UNKNOWN_TIME, Dataset
from m2rec.errors import DataError


def read_ml_1m_folder(folder: Path) -> Dataset:
    """MovieLens-1M, 5-core: 999,611 events of 6,040 users on 3,416 films. The clock is missing for some users."""
    interactions = _read(folder, "interactions")
    timestamps = interactions["timestamp"].fillna(UNKNOWN_TIME).astype("int64")
    return _dataset("ml-1m", interactions.assign(timestamp=timestamps), read_ml_1m_items(folder))


def read_ml_1m_items(folder: Path) -> pd.DataFrame:
    """All 3,883 films as an items table."""
    return describe_films(_read(folder, "items"))


def read_amazon_beauty_folder(folder: Path) -> Dataset:
    """Amazon Beauty 2014, 5-core: 198,502 events of 22,363 users on 12,101 products, in order but without a clock."""
    return _dataset("amazon-beauty", _read(folder, "interactions"), read_amazon_beauty_items(folder))


def read_amazon_beauty_items(folder: Path) -> pd.DataFrame:
    """All 12,101 products as an items table: the text is the title, and the few without one show their id."""
    products = _read(folder, "items")
    items = products["item"].astype("str")
    text = products["title"].str.strip().replace("nan", "")  # how the publisher's export wrote a title it lacked
    return pd.DataFrame({"item": items, "title": text.mask(text == "", items), "text": text, "group": ""})


def describe_films(films: pd.DataFrame) -> pd.DataFrame:
    """Items from `item`, `title` and `genres` ("Comedy|Drama"): text is "title. genres", group the first genre."""
    genres = films["genres"].str.split("|")
    return films[["item", "title"]].assign(
        item=films["item"].astype("str"),
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
    as_text = interactions.assign(user=interactions["user"].astype("str"), item=interactions["item"].astype("str"))
    occurs = items["item"].isin(as_text["item"].unique())
    return Dataset(name, as_text, items[occurs].reset_index(drop=True))
