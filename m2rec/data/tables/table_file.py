"""One table read from a file, and where in the file each row is, so that an error can point at the line."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from m2rec.data.tables.columns import recognise
from m2rec.data.tables.delimited import Layout, long_cells
from m2rec.data.tables.file_format import FileFormat
from m2rec.data.tables.problems import ROWS_NAMED, listed_rows
from m2rec.errors import DataError


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
    lines: list[int] | None = None  # of JSON: the line of each row
    blank_rows: int = 0
    notes: list[str] = field(default_factory=list)  # for the reader: what was found or assumed

    def drop_blank_rows(self) -> None:
        """Leave out, and count, the rows in which every cell is blank."""
        blank = (self.frame.astype("string").fillna("") == "").all(axis=1).to_numpy()
        if len(self.frame.columns) and blank.any():
            self.blank_rows = int(blank.sum())
            self.frame = self.frame[~blank]

    def place(self, row: int) -> str:
        """The place of a row, for people: "line 7 of ratings.csv", counting the header as line 1."""
        return f"{self.word} {self.numbers_of([row])[0]} of {self.path}"

    @property
    def word(self) -> str:
        """The word for a numbered row: delimited text and JSON have lines, Parquet has rows."""
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


def no_rows(path: Path) -> DataError:
    """The error for a table without rows."""
    return DataError(f"{path} has no rows; a header line and at least one row are needed.")


def lines_of(source: FileFormat, layout: Layout | None = None) -> Iterator[str]:
    """The lines of a text, line ends included, with separators of one character. Raises UnicodeDecodeError."""
    with source.open() as file:
        encoding = "utf-8-sig" if source.encoding == "utf-8" else source.encoding
        for line in io.TextIOWrapper(file, encoding=encoding, newline=""):
            yield layout.prepared(line) if layout else line


def wrong_byte(source: FileFormat) -> str:
    """The first byte that is not UTF-8 and its line, as the beginning of a sentence."""
    content = source.read()
    try:
        content.decode("utf-8" if source.encoding == "utf-8-sig" else source.encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"Line {line} of {source.path} holds the byte 0x{content[error.start]:02x}, which is not UTF-8"
    return f"{source.path} is not UTF-8"


def columns_of_roles(
    path: Path, present: Sequence[str], names: Mapping[str, Sequence[str]], chosen: Mapping[str, str]
) -> dict[str, str]:
    """Role → column: as chosen, by name or number, and else as recognised by the usual names. Raises DataError."""
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
