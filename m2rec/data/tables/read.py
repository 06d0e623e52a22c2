"""Reads a table from a file of any usual kind, recognised by its first bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from m2rec.data.tables.delimited_file import read_delimited
from m2rec.data.tables.file_format import file_format
from m2rec.data.tables.table_file import TableFile, no_rows
from m2rec.data.tables.typed_files import read_json, read_parquet, read_sheet


def read_table_file(
    path: Path, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str] | None = None
) -> TableFile:
    """Read a table from delimited text, JSON, Parquet or Excel, packed or not, recognised by its first bytes.

    `names` are the usual names of the columns that are wanted (columns.py); `chosen` is role → column, by name or by
    its number from 1, and takes precedence. Raises DataError when the file is missing, empty, no table,
    wrongly encoded, or has rows longer than its header.
    """
    chosen = dict(chosen or {})
    source = file_format(path)
    if source.holds == "Parquet":
        table = read_parquet(source, names, chosen)
    elif source.holds == "Excel":
        table = read_sheet(source, names, chosen)
    elif source.holds == "JSON":
        table = read_json(source, names, chosen)
    else:
        table = read_delimited(source, names, chosen)
    if source.packed:
        table.notes.append(f"{path.name} is packed with {source.packed}.")
    table.drop_blank_rows()
    if table.frame.empty and len(table.frame.columns):
        raise no_rows(path)
    return table
