"""Histories from a table with one row an event.

Every row becomes a user, an item and a moment in the form in which they are compared, read as the whole column says.
Then rows are distributed to parts by a hash of the user, so that all events of a user are in one part. Only one batch
of rows and one part are in memory at a time.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from m2rec.data.tables import cells
from m2rec.data.tables.columns import order_role
from m2rec.data.tables.parquet_batches import WholeColumns, tables, whole_columns
from m2rec.data.tables.problems import Problems
from m2rec.data.tables.table_file import TableFile, no_rows
from m2rec.data.tables.times import DateOrder
from m2rec.errors import DataError
from m2rec.scoring.dealing import PART, deal

HISTORY = pa.schema([("user", pa.string()), ("items", pa.list_(pa.string()))])
EVENTS = pa.schema([("user", pa.string()), ("item", pa.string()), ("moment", pa.float64())])
HASH_KEY = "m2rec-scoring-02"  # 16 characters, as pandas requires; another key gives other parts


def require_events(path: Path, roles: Collection[str], names: Sequence[str]) -> None:
    """Raise DataError where a table has no user or no item."""
    if not {"user", "item"} <= set(roles):
        raise DataError(
            f"{path} has no columns for user and item (found: {', '.join(names[:12])}); give one row an event "
            "(user, item, and timestamp or position), or one row a user (user, and items, a list), or name the columns "
            "with --columns."
        )


def histories_of_parquet(
    path: Path,
    columns: Mapping[str, str],
    dates: DateOrder | None,
    folder: Path,
    rows_per_part: int,
    rows: int,
    advance: Callable[[float], None],
) -> Iterator[pa.Table]:
    """The histories of a Parquet file with `rows` rows in parts of about `rows_per_part`, HISTORY. Raises DataError.

    `columns` is role → column. The table is read twice, and each reading advances by half of its rows.
    """
    order = order_role(columns)
    asked = {role: column for role, column in columns.items() if role in ("user", "item", order)}
    whole = whole_columns(path, asked, dates, lambda amount: advance(amount / 2))
    count = -(-rows // rows_per_part) or 1

    def numbered() -> Iterator[pa.Table]:
        read = 0
        for table in tables(path, columns):
            read += len(table.frame) + table.blank_rows
            found = events(table, whole=whole, unchecked=read < rows)
            users = found.column("user").to_pandas().to_numpy(dtype=object)
            place = (pd.util.hash_array(users, hash_key=HASH_KEY) % count).astype(np.int32)
            yield found.append_column(PART, pa.array(place))
            advance((len(table.frame) + table.blank_rows) / 2)

    anything = False
    for part in deal(numbered(), range(count), folder):
        anything = True
        yield histories(part)
    if not anything:
        raise no_rows(path)


def events(
    table: TableFile, dates: DateOrder | None = None, whole: WholeColumns | None = None, unchecked: bool = False
) -> pa.Table:
    """The rows of a table as EVENTS. Raises TableError with all problems.

    `whole` says how whole columns are read, where this is only a batch of the table; `unchecked`, that rows follow.
    """
    problems, numbers = Problems(), whole.numbers if whole else {}
    users = cells.ids(table, "user", problems, whole=numbers.get("user"))
    items = cells.ids(table, "item", problems, whole=numbers.get("item"))
    order = order_role(table.columns)
    if order == "position":
        moment = cells.numbers(table, "position", problems, blank_allowed=False)
    elif order == "timestamp":
        reading = whole.times if whole else None
        unchecked = unchecked and not (reading and reading.ambiguous)  # which is a problem of all rows
        moment = cells.unix_seconds(table, "timestamp", problems, blank_allowed=False, order=dates, reading=reading)
    else:
        moment = np.zeros(len(users))  # the order of the file
    if problems.found and unchecked:
        problems.add(f"Rows after row {int(table.frame.index[-1]) + 1:,} were not checked.")
    problems.refuse()
    columns = (users.to_numpy(dtype=object), items.to_numpy(dtype=object), moment)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, EVENTS, strict=True)], EVENTS)


def histories(found: pa.Table) -> pa.Table:
    """EVENTS in order as one row a user, HISTORY; users in the order in which they appear."""
    codes, names = pd.factorize(found.column("user").to_pandas().to_numpy(dtype=object))
    # stable: rows of the same time keep the order of the file
    order = np.lexsort((found.column("moment").to_numpy(), codes))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(names)))])
    items = found.column("item").take(pa.array(order)).combine_chunks()
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)
    return pa.table([pa.array(names, pa.string()), lists], schema=HISTORY)
