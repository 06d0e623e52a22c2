"""One table from a file of any usual kind, and where in it each row stands, so that an error can point at the line."""

import csv
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from m2rec.data.tables import json_table
from m2rec.data.tables.columns import recognise
from m2rec.data.tables.delimited import NAMES, Layout, QuoteError, layout_of, long_cells, with_quotes
from m2rec.data.tables.file_format import HEAD, FileFormat, file_format
from m2rec.data.tables.problems import ROWS_NAMED, Problems, listed_rows
from m2rec.errors import DataError
from m2rec.paths import how_to_install

BLOCK = 1 << 20  # bytes looked through at a time
MOVIELENS = {4: ("user", "item", "rating", "timestamp"), 3: ("item", "title", "group")}  # cells of lines with "::"


@dataclass
class TableFile:
    """A table as read: only the columns that were recognised or chosen, under the names of their roles.

    The index of `frame` counts all rows of the file from 0, also those dropped as blank.
    """

    path: Path
    frame: pd.DataFrame
    columns: dict[str, str]  # role → name in the file
    present: list[str]  # all columns of the file
    layout: Layout | None = None  # of delimited text
    source: FileFormat | None = None
    lines: list[int] | None = None  # of JSON: on which line each row stands
    blank_rows: int = 0
    notes: list[str] = field(default_factory=list)  # for people: what was found out or assumed

    def place(self, row: int) -> str:
        """Where a row stands, for people: "line 7 of ratings.csv", counting the header as line 1."""
        return f"{self.word} {self.numbers_of([row])[0]} of {self.path}"

    @property
    def word(self) -> str:
        """What a row is called by its number: delimited text and JSON have lines, Parquet has rows."""
        return "row" if self.layout is None and self.lines is None else "line"

    def numbers_of(self, rows: Sequence[int]) -> list[int]:
        """The lines of some rising rows, or the rows from 1 where there are no lines."""
        if self.lines is not None:
            return [self.lines[row] for row in rows]
        if self.layout is None or self.source is None:
            return [row + 1 for row in rows]
        wanted = list(rows)
        found: list[int] = []
        cells = self.layout.rows(lines_of(self.source, self.layout))
        begun = 1
        with long_cells():
            for number, _ in enumerate(cells, start=-1 if self.layout.header else 0):
                if len(found) < len(wanted) and number == wanted[len(found)]:
                    found.append(begun)
                    if len(found) == len(wanted):
                        break
                begun = cells.line_num + 1
        return found

    def places(self, wrong: np.ndarray) -> tuple[str, str]:
        """For a mask bool (rows,) with at least one row: the first one's place, and the others, "" for one alone."""
        rows = self.frame.index.to_numpy()[wrong]
        numbers = self.numbers_of([int(row) for row in rows[: ROWS_NAMED + 1]])
        others = f" ({len(rows):,} rows: {self.word}s {listed_rows(numbers)})" if len(rows) > 1 else ""
        return f"{self.word} {numbers[0]} of {self.path}", others


def read_table_file(
    path: Path, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str] | None = None
) -> TableFile:
    """Read a table, whatever kind of file its first bytes say it is: delimited text, JSON or Parquet, packed or not.

    `names` are the usual names of the columns that are wanted (columns.py); `chosen` is role → column, by name or by
    its number from 1, and goes before what is recognised. Raises DataError when the file is missing, empty, no table,
    wrongly encoded, or has rows longer than its header.
    """
    chosen = dict(chosen or {})
    source = file_format(path)
    if source.holds == "Parquet":
        table = _read_parquet(source, names, chosen)
    elif source.holds == "Excel":
        table = _read_sheet(source, names, chosen)
    elif source.holds == "JSON":
        table = _read_json(source, names, chosen)
    else:
        table = _read_text(source, names, chosen)
    if source.packed:
        table.notes.append(f"{path.name} is packed with {source.packed}.")
    blank = (table.frame.astype("string").fillna("") == "").all(axis=1).to_numpy() if len(table.frame.columns) else None
    if blank is not None and blank.any():
        table.blank_rows = int(blank.sum())
        table.frame = table.frame[~blank]
    if table.frame.empty and len(table.frame.columns):
        raise DataError(f"{path} has no rows; a header line and at least one row are needed.")
    return table


def lines_of(source: FileFormat, layout: Layout | None = None) -> Iterator[str]:
    """The lines of a text, line ends included, with separators of one character. Raises UnicodeDecodeError."""
    with source.open() as file:
        encoding = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
        for line in io.TextIOWrapper(file, encoding=encoding, newline=""):
            yield layout.prepared(line) if layout else line


def _taken(
    path: Path, present: Sequence[str], names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]
) -> dict[str, str]:
    """Role → column. What was chosen is not looked for again, nor is its column taken for anything else."""
    taken: dict[str, str] = {}
    for role, column in chosen.items():
        if column in present:
            taken[role] = column
        elif column.isdecimal() and 1 <= int(column) <= len(present):
            taken[role] = present[int(column) - 1]
        else:
            listed = ", ".join(present[:12])
            raise DataError(f"{path} has no column {column!r} to be the {role} (found: {listed}); name one of these.")
    rest = [column for column in present if column not in taken.values()]
    found = recognise(rest, {role: usual for role, usual in names.items() if role not in taken})
    return taken | found


# ── delimited text ──────────────────────────────────────────────────────────────────────────────────────────────────


def _read_text(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    path = source.path
    quotes = _survey(source)
    with source.open() as file:
        head = file.read(HEAD)
    complete = len(head) < HEAD
    text = head.decode("utf-8-sig" if source.encoding == "utf-8" else source.encoding, "replace")
    if not text.strip():
        raise DataError(f"{path} is empty; a header line and at least one row are needed.")
    layout = layout_of(text, names, complete=complete)
    notes = []
    if layout.header and chosen and not recognise(layout.columns, names) and _all_numbers(chosen, layout.columns):
        layout = replace(layout, header=False, columns=tuple(str(n) for n in range(1, len(layout.columns) + 1)))
    try:
        if quotes:
            layout = with_quotes(layout, lambda: lines_of(source, layout))
        frame = _frame(source, layout)
    except QuoteError as error:
        raise DataError(f"{path} cannot be divided into cells: {error}; double every quote inside quotes.") from error
    except UnicodeDecodeError as error:
        if layout.separator != "::":
            raise DataError(f"{_wrong_byte(source)}; save the file as UTF-8.") from error
        source = replace(source, encoding="latin-1")  # as GroupLens publishes MovieLens
        notes.append(f"{path.name} is not UTF-8 and was read as Latin-1, as MovieLens is published.")
        frame = _frame(source, layout)
    present = [str(name).strip() for name in frame.columns]
    frame.columns = pd.Index(present)
    if not layout.header and layout.separator == "::" and not chosen and len(present) in MOVIELENS:
        chosen = {role: str(number) for number, role in enumerate(MOVIELENS[len(present)], start=1) if role in names}
        notes.append(f"{path.name} has no header; its columns are those of MovieLens: {', '.join(chosen)}.")
    if layout.separator != ",":
        notes.append(f"{path.name} is separated by {NAMES[layout.separator]}.")
    if layout.backslash:
        notes.append(f"{path.name} has a backslash before each quotation mark inside quotes.")
    columns = _taken(path, present, names, chosen)
    frame = pd.DataFrame({role: frame[column] for role, column in columns.items()})
    return TableFile(path, frame, columns, present, layout, source, notes=notes)


def _all_numbers(chosen: Mapping[str, str], present: Sequence[str]) -> bool:
    return all(column.isdecimal() and column not in present for column in chosen.values())


def _frame(source: FileFormat, layout: Layout) -> pd.DataFrame:
    """All cells as text. Raises UnicodeDecodeError, and DataError for rows that have more cells than the header."""
    try:
        with warnings.catch_warnings(), source.open() as file:
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header would lose its end
            return pd.read_csv(
                io.StringIO("".join(lines_of(source, layout))) if layout.separator == "::" else file,
                sep=layout.delimiter,
                header=0 if layout.header else None,
                names=None if layout.header else list(layout.columns),
                dtype="str",
                na_filter=False,
                skip_blank_lines=False,
                index_col=False,
                skipinitialspace=layout.separator == " ",
                quoting=csv.QUOTE_MINIMAL if layout.quotes else csv.QUOTE_NONE,
                escapechar="\\" if layout.backslash else None,
                encoding="utf-8-sig" if source.encoding == "utf-8" else source.encoding,
            )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{source.path} is empty; a header line and at least one row are needed.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(_irregular(source, layout, str(error))) from error


def _irregular(source: FileFormat, layout: Layout, reason: str) -> str:
    """Which rows have more cells than the header."""
    rows = layout.rows(lines_of(source, layout))
    begun, width, lines, longest = 1, len(layout.columns), [], 0
    try:
        with long_cells():
            for number, cells in enumerate(rows):
                if number == 0 and layout.header:
                    width = len(cells)
                elif len(cells) > width:
                    lines.append(begun)
                    longest = max(longest, len(cells))
                begun = rows.line_num + 1
    except (csv.Error, UnicodeDecodeError) as error:
        reason = str(error)
    if not lines:
        return (
            f"{source.path} is not a regular table ({reason.strip()}); put quotes around cells with separators in them."
        )
    if len(lines) == 1:
        some = f"line {lines[0]} has {longest} cells"
    else:
        some = f"{len(lines):,} rows (lines {listed_rows(lines)}) have up to {longest} cells"
    return (
        f"{source.path} is not a regular table: {some} and the header {width}; name every column, and put quotes "
        f"around cells that hold {NAMES[layout.separator]}."
    )


def _survey(source: FileFormat) -> bool:
    """Whether quotation marks occur. Raises DataError for NUL bytes in what should be UTF-8."""
    if source.encoding == "utf-16":
        return True
    quotes = False
    with source.open() as file:
        while block := file.read(BLOCK):
            if b"\0" in block:
                raise DataError(
                    f"{source.path} holds NUL bytes, so it is not text in UTF-8 (in UTF-16, perhaps?); "
                    "save it as UTF-8."
                )
            quotes = quotes or b'"' in block
    return quotes


def _wrong_byte(source: FileFormat) -> str:
    """Which byte on which line is not UTF-8."""
    content = source.read()
    try:
        content.decode("utf-8" if source.encoding == "utf-8-sig" else source.encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"Line {line} of {source.path} holds the byte 0x{content[error.start]:02x}, which is not UTF-8"
    return f"{source.path} is not UTF-8"


# ── JSON and Parquet ────────────────────────────────────────────────────────────────────────────────────────────────


def _read_json(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    path, problems = source.path, Problems()
    with source.open() as file:
        head = file.read(HEAD).decode("utf-8", "replace")
    try:
        if json_table.is_list(head):
            listed = list(enumerate(json_table.objects_of_list("".join(lines_of(source))), start=1))
            present = json_table.columns_of(listed)
            columns = _taken(path, present, names, chosen)
            _, cells = json_table.cells_of(lambda: listed, list(columns.values()), problems, str(path))
            lines = None
        else:
            present = json_table.columns_of(json_table.objects(lines_of(source)))
            columns = _taken(path, present, names, chosen)
            lines, cells = json_table.cells_of(
                lambda: json_table.objects(lines_of(source)), list(columns.values()), problems, str(path)
            )
    except UnicodeDecodeError as error:
        raise DataError(f"{_wrong_byte(source)}; save the file as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not a readable list of JSON objects ({error}); write one object a line.") from error
    problems.refuse()
    frame = pd.DataFrame({role: pd.Series(cells[column], dtype="str") for role, column in columns.items()})
    return TableFile(path, frame, columns, present, source=source, lines=lines, notes=[f"{path.name} holds JSON."])


def _read_parquet(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    try:
        with source.open() as file:
            # of a packed file all is read first: Parquet is read from its end
            content = pq.ParquetFile(io.BytesIO(source.read()) if source.packed else file)
            present = content.schema_arrow.names
            columns = _taken(source.path, present, names, chosen)
            read = content.read(columns=list(columns.values()))
        frame = read.to_pandas(types_mapper=_nullable)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{source.path} is not a readable Parquet file ({error}); write it again.") from error
    frame = pd.DataFrame({role: frame[column] for role, column in columns.items()}).reset_index(drop=True)
    return TableFile(source.path, frame, columns, list(present))


def _read_sheet(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    """The first sheet of an Excel workbook; its first line is the header."""
    path = source.path
    try:
        frame = pd.read_excel(path, dtype="object", engine="openpyxl", na_filter=False)
    except ImportError as error:
        raise DataError(f"Reading {path} needs the package openpyxl; install it with `{how_to_install()}`.") from error
    except Exception as error:  # openpyxl raises whatever the parts of a damaged workbook lead to
        raise DataError(f"{path} is not a readable Excel workbook ({error}); save its sheet as CSV UTF-8.") from error
    present = [str(column).strip() for column in frame.columns]
    frame.columns = pd.Index(present)
    columns = _taken(path, present, names, chosen)
    cells = {role: frame[column].infer_objects() for role, column in columns.items()}
    notes = [f"{path.name} is an Excel workbook; its first sheet was read."]
    return TableFile(path, pd.DataFrame(cells), columns, present, notes=notes)


def _nullable(kind: pa.DataType) -> object:
    """Whole numbers stay whole where some are missing."""
    if pa.types.is_integer(kind):
        return pd.Int64Dtype() if pa.types.is_signed_integer(kind) else pd.UInt64Dtype()
    return pd.StringDtype() if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
