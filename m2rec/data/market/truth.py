"""The cause of each purchase of the test customers, and the fair oracle's forecast: the truth for grading.

The fair oracle knows the process and nothing about the customers (see `oracles`), so its figures are a ceiling for
models, and its probabilities of the causes are the best possible gate.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from m2rec.atomic import atomic_file
from m2rec.data.cache import cache_dir
from m2rec.data.market.customers import TEST
from m2rec.data.market.generate import customer_names
from m2rec.data.market.market import FORMAT, Market
from m2rec.data.market.oracles.measured import measure
from m2rec.data.market.oracles.oracles import fair
from m2rec.data.market.settings import CAUSES
from m2rec.data.market.shop.catalogue import fingerprint
from m2rec.errors import DataError

COLUMNS = {
    "user": "object",
    "position": "int64",  # the day, from 0
    "item": "object",
    "cause": "object",  # one of `CAUSES`
    "period": "int64",  # of the rhythm behind the purchase, 0 where there is none
    "cycles": "int64",  # how often that rhythm had occurred before
    "arrival": "bool",  # whether no training customer ever bought the item
    "oracle_rank": "float64",  # of the item, by the fair oracle; the mean rank among equals
    **{f"oracle_{cause}": "float64" for cause in CAUSES},  # probability of each cause, by the same
}


def truth_of(market: Market) -> pd.DataFrame:
    """Every purchase of the test customers from `first_target` on, with the columns of `COLUMNS`, by customer and day.

    The oracle takes about a minute for 600 customers on one core.
    """
    users = np.flatnonzero(market.customers.roles == TEST)
    if not len(users):
        raise DataError("This market has no test customers to grade with; ask for more customers.")
    measured = measure(market, users, fair)
    events = measured.events
    owners = np.searchsorted(market.sequences.offsets, events, side="right") - 1
    catalogue = market.shop.catalogue
    rows = market.sequences.events[events] - 1
    columns = {
        "user": customer_names(len(market.customers))[owners],
        "position": market.sequences.positions[events],
        "item": catalogue.table["item"].to_numpy(dtype=object)[rows],
        "cause": np.array(CAUSES, dtype=object)[market.causes[events]],
        "period": market.periods[events],
        "cycles": market.cycles[events],
        "arrival": catalogue.arrival[rows],
        "oracle_rank": measured.ranks,
        **{f"oracle_{cause}": measured.causes[:, code] for code, cause in enumerate(CAUSES)},
    }
    return pd.DataFrame(columns).astype(COLUMNS)


def cached_truth(market: Market) -> pd.DataFrame:
    """The same, kept in the cache folder: worked out once for each market."""
    key = hashlib.sha256(f"{FORMAT} {fingerprint()} {market.settings.to_json()}".encode()).hexdigest()[:16]
    path = cache_dir() / "market-truth" / f"{key}.parquet"
    if path.is_file():
        return read_truth(path)
    truth = truth_of(market)
    write_truth(truth, path)
    return truth


def write_truth(truth: pd.DataFrame, path: Path) -> None:
    """Save as Parquet, whole or not at all. Raises DataError when the disk does not take it."""
    try:
        with atomic_file(path) as temporary:
            truth.to_parquet(temporary, index=False)
    except OSError as error:
        raise DataError(f"{path} could not be written ({error}); free some space and try again.") from error


def read_truth(path: Path) -> pd.DataFrame:
    """Read what `write_truth` wrote. Raises DataError when the file is missing or is no such table."""
    try:
        truth = pd.read_parquet(path)
        return truth[list(COLUMNS)].astype(COLUMNS)
    except FileNotFoundError:
        raise DataError(f"There is no {path}; export the market again.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not a readable table of causes ({error}); export the market again.") from error
