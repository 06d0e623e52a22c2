"""Tables whose cells have types: JSON, Parquet and Excel."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from m2rec.data.tables import json_table
from m2rec.data.tables.file_format import HEAD, FileFormat
from m2rec.data.tables.problems import Problems
from m2rec.data.tables.table_file import TableFile, columns_of_roles, lines_of, wrong_byte
from m2rec.errors import DataError
from m2rec.paths import how_to_install
from m2rec.text_safety import quoted

SINGLE = {"user", "item", "title", "timestamp", "position", "rating"}  # roles whose cells are single values
ONE_EACH = "give one row an event with one item"


def read_json(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    """JSON, one object a line or one list of them; `names` and `chosen` as in `read_table_file`. Raises DataError."""
    path, problems = source.path, Problems()
    with source.open() as file:
        head = file.read(HEAD).decode("utf-8", "replace")
    try:
        if json_table.is_list(head):
            listed = list(enumerate(json_table.objects_of_list("".join(lines_of(source))), start=1))
            present = json_table.columns_of(listed)
            columns = columns_of_roles(path, present, names, chosen)
            _, cells = json_table.cells_of(lambda: listed, list(columns.values()), problems, str(path))
            lines = None
        else:
            present = json_table.columns_of(json_table.objects(lines_of(source)))
            columns = columns_of_roles(path, present, names, chosen)
            lines, cells = json_table.cells_of(
                lambda: json_table.objects(lines_of(source)), list(columns.values()), problems, str(path)
            )
    except UnicodeDecodeError as error:
        raise DataError(f"{wrong_byte(source)}; save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a readable list of JSON objects ({error}); write one object a line.") from error
    problems.refuse()
    frame = pd.DataFrame({role: pd.Series(cells[column], dtype="str") for role, column in columns.items()})
    return TableFile(path, frame, columns, present, source=source, lines=lines, notes=[f"{path.name} holds JSON."])


def read_parquet(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    """Parquet; `names` and `chosen` as in `read_table_file`. Raises DataError."""
    try:
        with source.open() as file:
            # a packed file is read whole first, because Parquet is read from its end
            content = pq.ParquetFile(io.BytesIO(source.read()) if source.packed else file)
            present = content.schema_arrow.names
            columns = columns_of_roles(source.path, present, names, chosen)
            for role, column in columns.items():
                if role in SINGLE:
                    refuse_nested(source.path, role, column, content.schema_arrow.field(column).type, ONE_EACH)
            read = content.read(columns=list(columns.values()))
        frame = frame_of(read, columns)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{source.path} is not a readable Parquet file ({error}); write it again.") from error
    return TableFile(source.path, frame, columns, list(present))


def refuse_nested(path: Path, role: str, column: str, kind: pa.DataType, advice: str) -> None:
    """Raise DataError, with advice, where a cell of a column of Parquet would be more than one value."""
    if pa.types.is_nested(kind):
        raise DataError(
            f"The {role} in the column {quoted(column)} of {path} should be single values, and there are lists or "
            f"structures; {advice}."
        )


def frame_of(table: pa.Table, columns: Mapping[str, str]) -> pd.DataFrame:
    """Some columns of Parquet under the names of their roles."""
    frame = table.to_pandas(types_mapper=_nullable)
    return pd.DataFrame({role: frame[column] for role, column in columns.items()}).reset_index(drop=True)


def read_sheet(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    """The first sheet of an Excel workbook; its first line is the header. Raises DataError."""
    path = source.path
    try:
        frame = pd.read_excel(path, dtype="object", engine="openpyxl", na_filter=False)
    except ImportError as error:
        raise DataError(f"Reading {path} needs the package openpyxl; install it with `{how_to_install()}`.") from error
    except Exception as error:  # openpyxl raises many kinds of errors for a damaged workbook
        raise DataError(f"{path} is not a readable Excel workbook ({error}); save its sheet as CSV UTF-8.") from error
    present = [str(column).strip() for column in frame.columns]
    frame.columns = pd.Index(present)
    columns = columns_of_roles(path, present, names, chosen)
    cells = {role: frame[column].infer_objects() for role, column in columns.items()}
    notes = [f"{path.name} is an Excel workbook; its first sheet was read."]
    return TableFile(path, pd.DataFrame(cells), columns, present, notes=notes)


def _nullable(kind: pa.DataType) -> object:
    """Whole numbers stay whole where some are missing."""
    if pa.types.is_integer(kind):
        return pd.Int64Dtype() if pa.types.is_signed_integer(kind) else pd.UInt64Dtype()
    return pd.StringDtype() if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
