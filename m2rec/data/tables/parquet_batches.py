"""A Parquet table in batches of rows, for tables that are larger than memory. What only whole columns say is found in a
first reading of them all, so that every batch is read alike.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from m2rec.data.tables import cells
from m2rec.data.tables.table_file import TableFile
from m2rec.data.tables.times import DateOrder, Notations, Reading
from m2rec.data.tables.typed_files import frame_of
from m2rec.errors import DataError

BATCH = 1 << 17  # rows read at a time


def open_parquet(path: Path, advice: str = "write it again") -> pq.ParquetFile:
    """A Parquet file, of which only the footer is read. Raises DataError, which says what would help."""
    try:
        return pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}); {advice}.") from error


def record_batches(
    path: Path, columns: Sequence[str], rows: int = BATCH, advice: str = "write it again"
) -> Iterator[pa.RecordBatch]:
    """Some columns of a Parquet file, at most `rows` rows at a time. Raises DataError like `open_parquet`."""
    opened = open_parquet(path, advice)
    try:
        yield from opened.iter_batches(rows, columns=list(columns))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read ({error}); {advice}.") from error
    finally:
        opened.close()


def tables(path: Path, columns: Mapping[str, str], rows: int = BATCH) -> Iterator[TableFile]:
    """The columns of some roles, as tables without blank rows that know where in the file their rows are."""
    first = 0
    for batch in record_batches(path, list(columns.values()), rows):
        frame = frame_of(pa.Table.from_batches([batch]), columns)
        frame.index = pd.RangeIndex(first, first + len(frame))
        first += len(frame)
        table = TableFile(path, frame, dict(columns), list(columns.values()))
        table.drop_blank_rows()
        yield table


@dataclass(frozen=True)
class WholeColumns:
    """What only a whole column says: whether the ids of a role are whole numbers, and how times are read."""

    numbers: Mapping[str, bool]
    times: Reading | None  # None where the column holds times already, or there is none


def whole_columns(
    path: Path, columns: Mapping[str, str], dates: DateOrder | None, advance: Callable[[float], None]
) -> WholeColumns:
    """Read the columns of the roles user, item and timestamp for what only all of their cells say.

    `advance` is told the number of rows read. Columns whose type says it already are not read.
    """
    with open_parquet(path) as opened:
        schema, rows = opened.schema_arrow, opened.metadata.num_rows
    kinds = {role: schema.field(column).type for role, column in columns.items()}
    numbers = dict.fromkeys((role for role in ("user", "item") if role in columns), True)
    asked = {role: columns[role] for role in numbers if not pa.types.is_integer(kinds[role])}
    notations = None
    if "timestamp" in columns and not pa.types.is_timestamp(kinds["timestamp"]):
        asked["timestamp"], notations = columns["timestamp"], Notations()
    if not asked:
        advance(rows)
    for table in tables(path, asked) if asked else ():
        for role in asked:
            if role in numbers:
                numbers[role] = numbers[role] and cells.whole_numbers(table, role)
            elif notations:
                notations.add(cells.text(table, role).unique().tolist())
        advance(len(table.frame) + table.blank_rows)
    return WholeColumns(numbers, notations.reading(dates) if notations else None)
