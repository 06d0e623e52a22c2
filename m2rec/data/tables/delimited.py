"""The layout of delimited text (separator, header, quotes), for files, pasted lists and uploads."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from m2rec.data.tables.columns import recognise
from m2rec.data.tables.times import read_times

if TYPE_CHECKING:
    import _csv

SEPARATORS = (",", ";", "\t", "::", "|", " ")  # blanks are tried last, because words are separated by them
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars (|)", "::": "double colons (::)", " ": "blanks"}
INSTEAD = "\x1f"  # replaces "::", which readers of CSV do not accept: ASCII's unit separator
LINES = 60  # from which the layout is guessed
LONGEST_CELL = 1 << 24  # characters; Python's default is too short for some descriptions


@dataclass(frozen=True)
class Layout:
    """How a text is divided into cells.

    `columns` are the header's cells, or "1", "2" … where there is no header. `quotes` is False where quotation marks
    are ordinary characters; with `backslash` a quote inside quotes has a backslash before it.
    """

    separator: str
    columns: tuple[str, ...]
    header: bool = True
    quotes: bool = True
    backslash: bool = False

    @property
    def delimiter(self) -> str:
        """The one character that separates cells once `prepared` was applied."""
        return INSTEAD if self.separator == "::" else self.separator

    def prepared(self, text: str) -> str:
        """The text with separators of one character."""
        return text.replace("::", INSTEAD) if self.separator == "::" else text

    def rows(self, lines: Iterable[str], *, strict: bool = False) -> "_csv.Reader":
        """The cells of each line or quoted run of lines, header included. Raises csv.Error."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            escapechar="\\" if self.backslash else None,
            skipinitialspace=self.separator == " ",
            strict=strict,
        )


def layout_of(text: str, names: Mapping[str, Sequence[str]], *, complete: bool = True) -> Layout:
    """The layout of a text by its first lines; `names` are the usual ones of the columns that are wanted (columns.py).

    `complete` is False where `text` was cut off, so that its last line is ignored.
    """
    lines = [line for line in text.splitlines()[: LINES + 1] if line.strip()]
    if not complete and len(lines) > 1:
        lines = lines[:-1]
    if not lines:
        return Layout(",", ())
    layouts = [_with(separator, lines, names) for separator in SEPARATORS]
    best = max(layouts, key=lambda found: found[0])  # the first of equal ones
    return best[1]


@contextmanager
def long_cells() -> Iterator[None]:
    """Raise the longest cell of Python's reader of CSV, and restore it afterwards."""
    usual = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


class QuoteError(ValueError):
    """Quotation marks that fit no way of writing tables, in the row that begins on `line`, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"the quotation marks in line {line} do not close where a cell ends")
        self.line = line


def with_quotes(layout: Layout, lines: Callable[[], Iterable[str]]) -> Layout:
    """The same layout with the meaning of quotation marks in the whole text. Raises QuoteError. Three ways are in use:
    doubled inside quotes ("" as RFC 4180 has it), with a backslash, and as ordinary characters, which is an error
    unless tabs or double colons separate the cells.
    """
    ways = [layout]
    if any('\\"' in line for line in lines()):
        ways.append(replace(layout, backslash=True))
    if layout.separator in ("\t", "::"):
        ways.append(replace(layout, quotes=False))
    for way in ways:
        wrong = _wrong_line(way, lines())
        if wrong is None:
            return way
    raise QuoteError(_wrong_line(layout, lines()) or 1)


def _wrong_line(layout: Layout, lines: Iterable[str]) -> int | None:
    """The line on which the first row begins that cannot be read strictly, from 1."""
    rows = layout.rows(lines, strict=True)
    begun = 1
    try:
        with long_cells():
            for _ in rows:
                begun = rows.line_num + 1
    except csv.Error:
        return begun
    return None


def _with(separator: str, lines: list[str], names: Mapping[str, Sequence[str]]) -> tuple[tuple[float, ...], Layout]:
    """How well one separator fits, larger being better, and the layout that it gives."""
    layout = Layout(separator, ())
    prepared = [layout.prepared(line) for line in lines]
    try:
        rows = [row for row in layout.rows(prepared) if row]
    except csv.Error:
        rows = [line.split(layout.delimiter) for line in prepared]
    first = [cell.strip() for cell in rows[0]] if rows else []
    roles = recognise(first, names)
    header = len(roles) > 1 or (separator != "::" and not _is_data(first))  # files with "::" are known without one
    columns = tuple(first) if header else tuple(str(number) for number in range(1, len(first) + 1))
    alike = sum(len(row) == len(first) for row in rows) / max(len(rows), 1)
    fits = len(first) > 1 and (separator != " " or len(roles) > 1 or (alike == 1.0 and len(first) > 2 and not header))
    return (float(fits), float(len(roles)), round(alike, 1) if fits else 0.0), replace(
        layout, columns=columns, header=header
    )


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a first line is a row: it holds a number or a date, which is no name of a column."""
    if list(cells) == [str(number) for number in range(len(cells))]:  # the header of a table that had none in pandas
        return False
    return any(_is_value(cell) for cell in cells)


def _is_value(cell: str) -> bool:
    if re.fullmatch(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?", cell, re.ASCII):
        return True
    times = read_times([cell])
    return times.seconds[0] is not None or times.ambiguous is not None
