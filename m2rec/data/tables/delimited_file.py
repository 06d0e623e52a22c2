"""Delimited text as a table: encoding, layout, quotes, and rows that do not fit the header."""

import csv
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from m2rec.data.tables.columns import recognise
from m2rec.data.tables.delimited import NAMES, Layout, QuoteError, layout_of, long_cells, with_quotes
from m2rec.data.tables.file_format import HEAD, FileFormat
from m2rec.data.tables.problems import listed_rows
from m2rec.data.tables.table_file import TableFile, columns_of_roles, lines_of, wrong_byte
from m2rec.errors import DataError

BLOCK = 1 << 20  # bytes read at a time
MOVIELENS = {4: ("user", "item", "rating", "timestamp"), 3: ("item", "title", "group")}  # cells of lines with "::"


def read_delimited(source: FileFormat, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]) -> TableFile:
    """Delimited text as a table; `names` and `chosen` as in `read_table_file`. Raises DataError."""
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
            raise DataError(f"{wrong_byte(source)}; save the file as UTF-8.") from error
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
    columns = columns_of_roles(path, present, names, chosen)
    frame = pd.DataFrame({role: frame[column] for role, column in columns.items()})
    return TableFile(path, frame, columns, present, layout, source, notes=notes)


def _all_numbers(chosen: Mapping[str, str], present: Sequence[str]) -> bool:
    return all(column.isdecimal() and column not in present for column in chosen.values())


def _frame(source: FileFormat, layout: Layout) -> pd.DataFrame:
    """All cells as text. Raises UnicodeDecodeError, and DataError for rows that have more cells than the header."""
    try:
        with warnings.catch_warnings(), source.open() as file:
            warnings.simplefilter("error", pd.errors.ParserWarning)  # otherwise long rows are cut off silently
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
