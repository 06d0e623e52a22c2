"""MovieLens as GroupLens publishes it: the official archive, its unpacked folder, and the 100K set.

F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM TiiS 5, 4, article 19.
"""

import gzip
import zipfile
from io import BytesIO
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from m2rec.data.dataset import Dataset, chronological
from m2rec.data.sources.folders import describe_films
from m2rec.errors import DataError

ENCODING = "latin-1"  # of all three sets' text files
RATING_COLUMNS = ["user", "item", "rating", "timestamp"]


def read_ml_1m_archive(archive: Path) -> Dataset:
    """MovieLens-1M from the official `ml-1m.zip`, unfiltered: 1,000,209 ratings of 6,040 users, 3,883 films."""
    path = archive / "ml-1m" / "ratings.dat"
    ratings = _ratings(_read_member(archive, "ml-1m/ratings.dat"), path, separator="::")
    return _dataset("ml-1m", ratings, read_ml_1m_archive_films(archive), path)


def read_ml_1m_archive_films(archive: Path) -> pd.DataFrame:
    """The items table alone, 3,883 rows of `item`, `title`, `text`, `group`."""
    return _films(_read_member(archive, "ml-1m/movies.dat"), archive / "ml-1m" / "movies.dat")


def read_ml_1m_raw(folder: Path, ratings: str = "ratings.dat") -> Dataset:
    """The same from the unpacked archive. `ratings` may name a part of the file, also one packed with gzip."""
    path = folder / ratings
    return _dataset("ml-1m", _ratings(_read_bytes(path), path, separator="::"), read_ml_1m_raw_films(folder), path)


def read_ml_1m_raw_films(folder: Path) -> pd.DataFrame:
    """The items table alone, from the unpacked archive."""
    return _films(_read_bytes(folder / "movies.dat"), folder / "movies.dat")


def read_ml_100k(folder: Path) -> Dataset:
    """MovieLens-100K from `u.data`, `u.item`, `u.genre`, unfiltered: 100,000 ratings of 943 users, 1,682 films."""
    path = folder / "u.data"
    return _dataset("ml-100k", _ratings(_read_bytes(path), path, separator="\t"), read_ml_100k_films(folder), path)


def read_ml_100k_films(folder: Path) -> pd.DataFrame:
    """The items table alone, 1,682 rows."""
    names = [line.split("|")[0] for line in _lines(folder / "u.genre") if line]
    rows = []
    for number, line in enumerate(_lines(folder / "u.item"), start=1):
        cells = line.split("|")  # id|title|release|video release|address|one flag per genre
        if len(cells) != 5 + len(names):
            raise DataError(f"Line {number} of {folder / 'u.item'} has {len(cells)} cells, expected {5 + len(names)}.")
        genres = [name for name, flag in zip(names, cells[5:], strict=True) if flag == "1"]
        rows.append((cells[0], cells[1], "|".join(genres)))
    return describe_films(pd.DataFrame(rows, columns=["item", "title", "genres"], dtype="str"))


def _dataset(name: str, ratings: pd.DataFrame, films: pd.DataFrame, path: Path) -> Dataset:
    interactions = chronological(ratings, ratings["timestamp"].to_numpy())
    interactions = interactions.assign(user=interactions["user"].astype("str"), item=interactions["item"].astype("str"))
    unknown = ~interactions["item"].isin(films["item"])
    if unknown.any():
        raise DataError(
            f"{path} rates the film {interactions['item'][unknown].iloc[0]}, which its list of films lacks."
        )
    return Dataset(name, interactions, films)


def _ratings(content: bytes, path: Path, separator: str) -> pd.DataFrame:
    """int64 columns user, item, rating, timestamp, in the order of the file."""
    # Line by line is exact and, unlike a two-character separator in pandas, fast; a list of a million is 100 MB.
    lines = (line.rstrip(b"\r\n") for line in BytesIO(content.replace(separator.encode(), b"\t")) if line.strip())
    first = next(lines, None)
    if first is None:
        raise DataError(f"{path} is empty; download it again.")
    try:
        values = np.loadtxt(chain([first], lines), dtype=np.int64, delimiter="\t", ndmin=2)
    except ValueError as error:
        raise DataError(f"{path} is not a MovieLens ratings file ({error}); download it again.") from error
    if values.shape[1:] != (len(RATING_COLUMNS),):
        raise DataError(f"{path} must have user, item, rating and time on every line; download it again.")
    return pd.DataFrame(values, columns=RATING_COLUMNS)


def _films(content: bytes, path: Path) -> pd.DataFrame:
    """Items table from the lines of `movies.dat`."""
    rows = []
    for number, line in enumerate(content.decode(ENCODING).splitlines(), start=1):
        cells = line.split("::")
        if len(cells) != 3:
            raise DataError(f"Line {number} of {path} is not MovieID::Title::Genres; download it again.")
        rows.append(cells)
    return describe_films(pd.DataFrame(rows, columns=["item", "title", "genres"], dtype="str"))


def _read_member(archive: Path, member: str) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.read(member)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{archive} is not the official ml-1m.zip ({error}); download it again.") from error


def _lines(path: Path) -> list[str]:
    return _read_bytes(path).decode(ENCODING).splitlines()


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing; unpack the whole archive.") from error
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read ({error}); download it again.") from error
