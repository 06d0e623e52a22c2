"""Divides the histories of any number of users into parts that fit memory: user and items, oldest first.

A table of events is distributed to parts by user (events.py); a table with a list of items for each user is cut. Only
one batch of rows and one part are in memory at a time.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from m2rec.data.tables import cells
from m2rec.data.tables.columns import INTERACTIONS, order_role, plain
from m2rec.data.tables.file_format import file_format
from m2rec.data.tables.parquet_batches import open_parquet, record_batches
from m2rec.data.tables.problems import Problems
from m2rec.data.tables.read import read_table_file
from m2rec.data.tables.table_file import TableFile, columns_of_roles, no_rows
from m2rec.data.tables.times import DateOrder
from m2rec.data.tables.typed_files import ONE_EACH, refuse_nested
from m2rec.errors import DataError
from m2rec.scoring.events import HISTORY, events, histories, histories_of_parquet, require_events

LISTS = ("items", "history", "itemids", "sequence", "histories")  # names of a column with a list of items

OR_LISTS = f"{ONE_EACH}, or one row a user with the ids of its items as a list in a column items"

Advance = Callable[[float], None]


def part_name(number: int) -> str:
    """The file of one part, of histories and of answers alike."""
    return f"part-{number:05}.parquet"


def rows_in(path: Path) -> int:
    """How many rows a Parquet file has, from its footer; 0 for other tables."""
    if file_format(path).holds != "Parquet":
        return 0
    return int(open_parquet(path).metadata.num_rows)


def divide(
    path: Path,
    folder: Path,
    rows_per_part: int,
    advance: Advance,
    columns: Mapping[str, str] | None = None,
    dates: DateOrder | None = None,
) -> int:
    """Write the histories of a table as parts into a folder. → how many. Raises DataError for any other table.

    `columns` is role → column where a name is unusual, and `dates` says what 03/04/2025 is where the column does not.
    """
    chosen = {role: column for role, column in (columns or {}).items() if role in INTERACTIONS}
    if file_format(path).holds == "Parquet":
        parts = _of_parquet(path, chosen, dates, folder, rows_per_part, advance)
    else:
        parts = _of_another_table(path, chosen, dates)
    count = 0
    for count, part in enumerate(parts, start=1):
        pq.write_table(part, folder / part_name(count - 1))
    return count


def _of_another_table(path: Path, chosen: Mapping[str, str], dates: DateOrder | None) -> Iterator[pa.Table]:
    """One part, as the whole table fits memory."""
    table = read_table_file(path, INTERACTIONS, chosen)
    require_events(path, table.columns, table.present)
    yield histories(events(table, dates))


def _of_parquet(
    path: Path,
    chosen: Mapping[str, str],
    dates: DateOrder | None,
    folder: Path,
    rows_per_part: int,
    advance: Advance,
) -> Iterator[pa.Table]:
    with open_parquet(path) as opened:
        schema, rows = opened.schema_arrow, opened.metadata.num_rows
    columns = columns_of_roles(path, schema.names, INTERACTIONS, chosen)
    asked = [columns["item"]] if "item" in chosen else [name for name in schema.names if plain(name) in LISTS]
    lists = [name for name in asked if _is_list(schema.field(name).type)]
    if lists and "user" in columns:
        refuse_nested(path, "user", columns["user"], schema.field(columns["user"]).type, OR_LISTS)
        refuse_nested(path, "items", lists[0], schema.field(lists[0]).type.value_type, OR_LISTS)
        return _cut(path, columns["user"], lists[0], rows_per_part, advance)
    require_events(path, columns, schema.names)
    kinds = {role: schema.field(column).type for role, column in columns.items()}
    needed = {"user", "item", order_role(columns)}
    for role in columns:
        if role in needed:
            refuse_nested(path, role, columns[role], kinds[role], OR_LISTS)
    read = {role: column for role, column in columns.items() if role in needed or not pa.types.is_nested(kinds[role])}
    return histories_of_parquet(path, read, dates, folder, rows_per_part, rows, advance)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _cut(path: Path, user: str, items: str, rows_per_part: int, advance: Advance) -> Iterator[pa.Table]:
    """One row a user, in the order of the file. Raises DataError for a table without rows."""
    before = 0
    for batch in record_batches(path, [user, items], rows_per_part):
        if not batch.num_rows:
            continue
        users = _users(path, user, batch.column(user).cast(pa.string()), before)
        try:
            yield pa.table([users, _text_lists(batch.column(items))], schema=HISTORY)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DataError(f"{path} has ids that are no whole numbers ({error}); write them as text.") from error
        before += batch.num_rows
        advance(batch.num_rows)
    if not before:
        raise no_rows(path)


def _users(path: Path, column: str, users: pa.Array, before: int) -> pa.Array:
    """Ids as in a table of events; `before` rows of the table were read earlier. Raises TableError for a blank one."""
    frame = pd.DataFrame({"user": users.to_pandas()})
    frame.index = pd.RangeIndex(before, before + len(frame))
    problems = Problems()
    found = cells.ids(TableFile(path, frame, {"user": column}, [column]), "user", problems, whole=False)
    problems.refuse()
    return pa.array(found.to_numpy(dtype=object), pa.string())


def _text_lists(lists: pa.Array) -> pa.Array:
    """Lists of ids of any kind as lists of text; a fraction that is whole loses its decimals."""
    as_lists = lists.cast(pa.list_(lists.type.value_type))
    values = as_lists.flatten()
    if pa.types.is_floating(values.type):
        values = values.cast(pa.int64())
    lengths = as_lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.cast(pa.string()))


def parts_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """The parts of a folder by number."""
    for path in sorted(folder.glob("part-*.parquet")):
        yield int(path.stem.removeprefix("part-")), path
