"""Finds and loads the data set of a world's [data] settings on this machine."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import pandas as pd

from m2rec.data.cache import data_dir
from m2rec.data.dataset import Dataset
from m2rec.data.kcore import k_core
from m2rec.data.settings import DataSettings, Source
from m2rec.data.sources import folders, movielens, online_retail
from m2rec.data.sources.download import ARCHIVES, archive_path
from m2rec.data.split import SplitRule, by_user, global_temporal, leave_one_out
from m2rec.data.tables.interactions import read_tables
from m2rec.errors import DataError


class Layout(NamedTuple):
    """One layout of a data set on the disk."""

    name: str  # inside M2REC_DATA
    mark: str  # the file that identifies this layout; "" where the name itself is a file
    read: Callable[[Path], Dataset]
    read_items: Callable[[Path], pd.DataFrame]


# In order of preference.
LAYOUTS: dict[Source, tuple[Layout, ...]] = {
    "ml-1m": (
        Layout("ml-1m", "interactions.parquet", folders.read_ml_1m_folder, folders.read_ml_1m_items),
        Layout("ml-1m", "ratings.dat", movielens.read_ml_1m_raw, movielens.read_ml_1m_raw_films),
        Layout("ml-1m.zip", "", movielens.read_ml_1m_archive, movielens.read_ml_1m_archive_films),
    ),
    "ml-100k": (Layout("ml-100k", "u.data", movielens.read_ml_100k, movielens.read_ml_100k_films),),
    "amazon-beauty": (
        Layout(
            "amazon-beauty",
            "interactions.parquet",
            folders.read_amazon_beauty_folder,
            folders.read_amazon_beauty_items,
        ),
    ),
    "online-retail": (
        Layout(
            "online-retail",
            "online-retail.parquet",
            online_retail.read_parquet,
            lambda folder: online_retail.read_parquet(folder).items,
        ),
        Layout(
            "online-retail",
            "online-retail.csv",
            online_retail.read_csv,
            lambda folder: online_retail.read_csv(folder).items,
        ),
        Layout("online-retail.xlsx", "", online_retail.read_sheet, lambda path: online_retail.read_sheet(path).items),
    ),
}
HOW_TO_GET: dict[Source, str] = {
    "ml-1m": "fetch it with `python -m m2rec data download ml-1m`, or set M2REC_DATA to a folder that holds ml-1m",
    "ml-100k": "set M2REC_DATA to a folder that holds ml-100k with u.data, u.item and u.genre as GroupLens offers them",
    "amazon-beauty": "set M2REC_DATA to a folder that holds amazon-beauty with interactions.parquet and items.parquet",
    "online-retail": (
        "fetch it with `python -m m2rec data download online-retail`, or set M2REC_DATA to a folder that holds "
        "online-retail.xlsx, or online-retail/online-retail.csv"
    ),
}


def load_dataset(settings: DataSettings, name: str | None = None) -> Dataset:
    """The data set that these settings choose, filtered to its k-core; `name` defaults to the source's.

    Raises DataError that says how to get the data when this machine has none of it.
    """
    name = name or settings.source
    if settings.source == "rhythm-market":
        from m2rec.data.market.generate import market_dataset

        dataset = market_dataset()
    elif settings.interactions:  # set for source "tables" and for no other
        dataset = read_tables(
            settings.interactions,
            settings.items,
            name,
            columns=settings.columns,
            item_columns=settings.item_columns,
            dates=settings.dates,
        )
    else:
        found = find_layout(settings.source)
        if found is None:
            raise DataError(f"This machine has no {settings.source}; {HOW_TO_GET[settings.source]}.")
        layout, path = found
        dataset = layout.read(path)
    return k_core(replace(dataset, name=name), settings.min_count)


def how_to_get(source: str) -> str:
    """What to do where the data of a source are not on this machine, as the rest of a sentence."""
    return HOW_TO_GET.get(cast(Source, source), f"set M2REC_DATA to a folder that holds {source}")


def split_rule(settings: DataSettings) -> SplitRule:
    """The rule that `prepare` divides the sequences by."""
    validation, test = settings.validation_share, settings.test_share
    if settings.split == "by-user":
        return partial(
            by_user,
            validation_share=validation,
            test_share=test,
            first_target=settings.first_target,
            seed=settings.split_seed,
        )
    if settings.split == "global-temporal":
        return partial(global_temporal, validation_share=validation, test_share=test)
    return leave_one_out


def split_needs(settings: DataSettings) -> str:
    """The least length of histories that the split needs for training events and targets."""
    if settings.split == "by-user":
        return (
            f"the split by user needs histories of 2 events to learn from, and of more than {settings.first_target} "
            "events (first_target) among the users that are held out"
        )
    if settings.split == "global-temporal":
        return (
            "the global temporal split needs a user with 2 events before the newest ones, and events of several times"
        )
    return "leave-one-out needs a history of 4 events: 2 to learn from, then one for validation and one for the test"


def titles_for(source: Source, item_ids: Sequence[str]) -> pd.DataFrame | None:
    """`item`, `title`, `text`, `group` of these items in this order, from the data on this machine; None without it.

    For worlds whose titles may not be shipped. An id that the data lacks is used as the title.
    """
    found = find_layout(source) if source in LAYOUTS else None
    if found is None:
        return None
    layout, path = found
    table = layout.read_items(path).set_index("item").reindex(pd.Index(item_ids, name="item")).reset_index()
    return table.assign(title=table["title"].fillna(table["item"])).fillna("")


def find_layout(source: Source) -> tuple[Layout, Path] | None:
    """The first layout of a source that is there: in M2REC_DATA, or else among the downloads."""
    root = data_dir()
    for layout in LAYOUTS[source]:
        if root is not None and (root / layout.name / layout.mark).is_file():
            return layout, root / layout.name
        for archive in ARCHIVES.values():
            if layout.name == archive.name and archive_path(archive).is_file():
                return layout, archive_path(archive)
    return None
