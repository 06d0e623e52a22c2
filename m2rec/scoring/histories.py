"""Divides the histories of any number of users into parts that fit memory: user and items, oldest first.

A table of events is divided by a hash of the user, so that all events of a user are in one part;
a table with a list of items for each user is cut. Only one batch of rows and one part are in memory at a time.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from m2rec.data.tables import cells
from m2rec.data.tables.columns import INTERACTIONS, plain, recognise
from m2rec.data.tables.file_format import file_format
from m2rec.data.tables.problems import Problems
from m2rec.data.tables.read import read_table_file
from m2rec.data.tables.table_file import TableFile
from m2rec.errors import DataError

BATCH = 1 << 17  # rows read at a time
LISTS = ("items", "history", "itemids", "sequence", "histories")  # names of a column with a list of items
HISTORY = pa.schema([("user", pa.string()), ("items", pa.list_(pa.string()))])
HASH_KEY = "m2rec-scoring-01"  # 16 characters, as pandas requires; another key gives other parts

Advance = Callable[[float], None]


def part_name(number: int) -> str:
    """The file of one part, of histories and of answers alike."""
    return f"part-{number:05}.parquet"


def rows_in(path: Path) -> int:
    """How many rows a Parquet file has, from its footer; 0 for other tables."""
    if file_format(path).holds != "Parquet":
        return 0
    return int(_opened(path).metadata.num_rows)


def divide(path: Path, folder: Path, rows_per_part: int, advance: Advance) -> int:
    """Write the histories of a table as parts into a folder. → how many. Raises DataError for any other table."""
    if file_format(path).holds != "Parquet":
        events = read_table_file(path, INTERACTIONS)
        _require_events(path, events.columns, events.present)
        return _write_part(_grouped(events), folder, 0)
    opened = _opened(path)
    names = opened.schema_arrow.names
    lists = [name for name in names if plain(name) in LISTS and _is_list(opened.schema_arrow.field(name).type)]
    user = recognise(names, {"user": INTERACTIONS["user"]}).get("user")
    if lists and user:
        try:
            return _cut(opened, user, lists[0], folder, rows_per_part, advance)
        except pa.ArrowInvalid as error:
            raise DataError(f"{path} has ids that are no whole numbers ({error}); write them as text.") from error
    return _dealt(path, opened, folder, rows_per_part, advance)


def _require_events(path: Path, roles: Collection[str], names: Sequence[str]) -> None:
    if not {"user", "item"} <= set(roles):
        raise DataError(
            f"{path} has no columns for user and item (found: {', '.join(names[:12])}); give one row an event "
            "(user, item, and timestamp or position), or one row a user (user, and items, a list)."
        )


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}); write it again.") from error


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _cut(opened: pq.ParquetFile, user: str, items: str, folder: Path, rows_per_part: int, advance: Advance) -> int:
    """One row a user, in the order of the file."""
    count = 0
    for count, batch in enumerate(opened.iter_batches(rows_per_part, columns=[user, items]), start=1):
        table = pa.table([batch.column(user).cast(pa.string()), _text_lists(batch.column(items))], schema=HISTORY)
        _write_part(table, folder, count - 1)
        advance(batch.num_rows)
    return count


def _text_lists(lists: pa.Array) -> pa.Array:
    """Lists of ids of any kind as lists of text; a fraction that is whole loses its decimals."""
    as_lists = lists.cast(pa.list_(lists.type.value_type))
    values = as_lists.flatten()
    if pa.types.is_floating(values.type):
        values = values.cast(pa.int64())
    lengths = as_lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.cast(pa.string()))


def _dealt(path: Path, opened: pq.ParquetFile, folder: Path, rows_per_part: int, advance: Advance) -> int:
    """One row an event: distributed to files by user, and each file grouped."""
    names = opened.schema_arrow.names
    roles = recognise(names, INTERACTIONS)
    _require_events(path, roles, names)
    count = -(-opened.metadata.num_rows // rows_per_part) or 1
    columns = list(roles.values())
    dealt = [folder / f"events-{number:05}.parquet" for number in range(count)]
    with ExitStack() as stack:
        schema = pa.schema([opened.schema_arrow.field(name) for name in columns])
        writers = [stack.enter_context(pq.ParquetWriter(file, schema)) for file in dealt]
        for batch in opened.iter_batches(BATCH, columns=columns):
            table = pa.Table.from_batches([batch]).select(columns)
            users = table.column(roles["user"]).cast(pa.string()).to_pandas()
            place = pd.util.hash_array(users.to_numpy(dtype=object), hash_key=HASH_KEY) % count
            for number in np.unique(place):
                writers[number].write_table(table.filter(pa.array(place == number)))
            advance(batch.num_rows)
    for number, file in enumerate(dealt):
        _write_part(_grouped(read_table_file(file, INTERACTIONS), empty=True), folder, number)
        file.unlink()
    return count


def _grouped(table: TableFile, *, empty: bool = False) -> pa.Table:
    """The events of a table, in order, as one row a user; users in the order in which they appear."""
    if not len(table.frame) and empty:
        return HISTORY.empty_table()
    problems = Problems()
    users, items = cells.ids(table, "user", problems), cells.ids(table, "item", problems)
    if "position" in table.columns and (table.columns["position"] == "position" or "timestamp" not in table.columns):
        moment = cells.numbers(table, "position", problems, blank_allowed=False)
    elif "timestamp" in table.columns:
        moment = cells.unix_seconds(table, "timestamp", problems, blank_allowed=False)
    else:
        moment = np.zeros(len(users))  # the order of the file
    problems.refuse()
    codes, names = pd.factorize(users)
    order = np.lexsort((moment, codes))  # stable: rows of the same time keep the order of the file
    offsets = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(names)))])
    ordered = pa.array(items.to_numpy(dtype=object)[order], pa.string())
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), ordered)
    return pa.table([pa.array(np.asarray(names, dtype=object), pa.string()), lists], schema=HISTORY)


def _write_part(table: pa.Table, folder: Path, number: int) -> int:
    pq.write_table(table, folder / part_name(number))
    return number + 1


def parts_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """The parts of a folder by number."""
    for path in sorted(folder.glob("part-*.parquet")):
        yield int(path.stem.removeprefix("part-")), path
