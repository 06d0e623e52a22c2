"""One CSV or Parquet file, and where in it each row stands, so that an error can point at the line."""

import difflib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from m2rec.errors import DataError
from m2rec.text_safety import LONGEST_QUOTE, normalised, printable, quoted

EPOCH = pd.Timestamp(0, unit="s", tz="UTC")
MOST_NAMES = 12  # columns that a message lists
FAR_FUTURE = 1e11  # seconds; the year 5138. A larger number is a clock in milliseconds.


@dataclass(frozen=True)
class TableFile:
    """A table as read; the index of `frame` counts all rows of the file from 0, also those dropped as blank."""

    path: Path
    frame: pd.DataFrame
    has_lines: bool  # a CSV, where a place is a line; Parquet has rows only

    def place(self, row: int) -> str:
        """Where a row stands, for people: "line 7 of ratings.csv", counting the header as line 1."""
        if not self.has_lines:
            return f"row {row + 1} of {self.path}"
        above = self.frame.loc[: row - 1]
        breaks = sum(str(name).count("\n") + int(above[name].str.count("\n").sum()) for name in above)  # inside quotes
        return f"line {row + 2 + breaks} of {self.path}"

    def first(self, wrong: np.ndarray) -> int:
        """The index of the first row that a mask bool (rows,) marks; at least one must be marked."""
        return int(self.frame.index[int(np.argmax(wrong))])

    def require(self, *columns: str | tuple[str, ...]) -> None:
        """Raise DataError naming the first absent column, what is there, and which of them was probably meant.

        A tuple asks for at least one of its names.
        """
        present = [str(column) for column in self.frame.columns]
        for column in columns:
            names = (column,) if isinstance(column, str) else column
            if not any(name in present for name in names):
                absent = " or ".join(repr(name) for name in names)
                raise DataError(
                    f"{self.path} has no column {absent} (found: {_listed(present)}){_hint(names, present)}"
                )

    def text(self, column: str) -> pd.Series:
        """A column as stripped text, "" where a cell is blank; whole numbers read from Parquet have no ".0"."""
        values = self.frame[column]
        if pd.api.types.is_float_dtype(values.dtype):
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
            if (np.isnan(numbers) | (numbers == np.floor(numbers))).all():
                values = values.astype("Int64")
        return values.astype("string").fillna("").str.strip().astype("str")

    def ids(self, column: str) -> pd.Series:
        """A column as text that must not be blank anywhere; what looks alike is one id (`normalised`)."""
        cells = self.text(column)
        values = cells.map({cell: normalised(cell) for cell in cells.unique()}).astype("str")
        blank = (values == "").to_numpy()
        if blank.any():
            raise DataError(f"The {column} is blank in {self.place(self.first(blank))}; every row needs one.")
        return values

    def numbers(self, column: str, *, blank_allowed: bool) -> np.ndarray:
        """A column as finite float64 (rows,), NaN where a cell is blank and may be."""
        cells = self.text(column)
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
        wrong = ~np.isfinite(numbers) & ~((cells == "").to_numpy() & blank_allowed)
        if wrong.any():
            row = self.first(wrong)
            raise DataError(f"The {column} {quoted(cells[row])} in {self.place(row)} is not a number.")
        return numbers

    def unix_seconds(self, column: str, *, blank_allowed: bool) -> np.ndarray:
        """A column of clock times as float64 (rows,) seconds since 1970, NaN where a cell is blank and may be.

        Numbers are Unix seconds; anything else is read as ISO 8601, as UTC where it names no zone.
        """
        if pd.api.types.is_datetime64_any_dtype(self.frame[column].dtype):
            moments = pd.to_datetime(self.frame[column], utc=True)
            cells = moments.astype("string").fillna("")
        else:
            cells = self.text(column)
            numbers = pd.to_numeric(cells, errors="coerce")
            if numbers.notna().sum() * 2 >= (cells != "").sum():  # the other cells are the mistakes
                return self._checked_times(column, cells, numbers.to_numpy(dtype=float), blank_allowed)
            moments = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
        seconds = ((moments - EPOCH) / pd.Timedelta(seconds=1)).to_numpy(dtype=float)
        return self._checked_times(column, cells, seconds, blank_allowed)

    def _checked_times(self, column: str, cells: pd.Series, seconds: np.ndarray, blank_allowed: bool) -> np.ndarray:
        wrong = ~np.isfinite(seconds) & ~((cells == "").to_numpy() & blank_allowed)
        outside = (seconds < 0) | (seconds >= FAR_FUTURE)
        if wrong.any():
            row = self.first(wrong)
            raise DataError(
                f"The {column} {quoted(cells[row])} in {self.place(row)} is no time; give Unix seconds or ISO 8601 "
                "such as 2024-05-31T18:00:00Z."
            )
        if outside.any():
            row = self.first(outside)
            raise DataError(
                f"The {column} {quoted(cells[row])} in {self.place(row)} lies before 1970 or after the year 5000; "
                "numbers must be Unix seconds, not milliseconds."
            )
        return seconds


def read_table_file(path: Path) -> TableFile:
    """Read a whole .csv (UTF-8, commas, one header line) or .parquet file; blank CSV lines are passed over.

    Raises DataError when it is missing, empty, of another kind, wrongly encoded, or has rows longer than its header.
    """
    if not path.is_file():
        raise DataError(f"There is no file {path}; give the path of a .csv or .parquet table.")
    if path.suffix.lower() == ".csv":
        table = _read_csv(path)
    elif path.suffix.lower() == ".parquet":
        table = _read_parquet(path)
    else:
        raise DataError(f"{path} is neither .csv nor .parquet; save the table as one of them.")
    if table.frame.empty:
        raise DataError(f"{path} has no rows; a header line and at least one row are needed.")
    return table


def _listed(names: list[str]) -> str:
    """Some names, shortened: a table that is none can have a header of any length."""
    shown = [printable(name, LONGEST_QUOTE) for name in names[:MOST_NAMES]]
    return ", ".join([*shown, f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else shown)


def _hint(wanted: tuple[str, ...], present: list[str]) -> str:
    """What would be right, where the columns that are there let one guess."""
    if len(present) == 1 and any(separator in present[0] for separator in ";\t|"):
        return "; separate the columns with commas."
    as_meant = {name.strip().lower(): name for name in present}
    for name in wanted:
        for close in difflib.get_close_matches(name, as_meant, n=1):
            return f"; rename {as_meant[close]!r} to {name!r}."
    return "."


def _read_parquet(path: Path) -> TableFile:
    try:
        frame = pd.read_parquet(path, dtype_backend="numpy_nullable")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a readable Parquet file ({error}); write it again.") from error
    return TableFile(path, frame.reset_index(drop=True), has_lines=False)


def _read_csv(path: Path) -> TableFile:
    if _holds_nul(path):
        raise DataError(f"{path} holds NUL bytes, so it is not text in UTF-8 (in UTF-16, perhaps?); save it as UTF-8.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header would lose its end
        try:
            frame = pd.read_csv(
                path, dtype="str", na_filter=False, skip_blank_lines=False, index_col=False, encoding="utf-8-sig"
            )
        except pd.errors.EmptyDataError as error:
            raise DataError(f"{path} is empty; a header line and at least one row are needed.") from error
        except pd.errors.ParserWarning as error:
            raise DataError(f"The rows of {path} have more cells than its header; name every column.") from error
        except pd.errors.ParserError as error:
            reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
            raise DataError(
                f"{path} is not a regular CSV table ({reason}); put quotes around cells with commas."
            ) from error
        except UnicodeDecodeError as error:
            raise DataError(f"{_wrong_byte(path)}; save the file as UTF-8.") from error
    blank = (frame == "").all(axis=1)
    return TableFile(path, frame[~blank], has_lines=True)


def _holds_nul(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b"\0" in block for block in iter(lambda: file.read(1 << 20), b""))


def _wrong_byte(path: Path) -> str:
    """Which byte on which line is not UTF-8."""
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return f"Line {line} of {path} holds the byte 0x{content[error.start]:02x}, which is not UTF-8"
    return f"{path} is not UTF-8"
