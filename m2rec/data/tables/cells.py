"""The cells of one column as ids, numbers or times; problems are collected and not raised.

Some decisions need the whole column: `whole`, whether its ids are whole numbers (`whole_numbers`), and how its times
are read (`Notations`). They are given where the table is only a batch of rows, and made here where it is all there is.
"""

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from m2rec.data.tables.problems import Problems
from m2rec.data.tables.table_file import TableFile
from m2rec.data.tables.times import DAY_FIRST, FAR_FUTURE, MONTH_FIRST, DateOrder, Reading, read_times
from m2rec.text_safety import normalised, quoted

EPOCH = pd.Timestamp(0, unit="s", tz="UTC")
LARGEST_WHOLE = 2.0**63  # of a fraction that is read as a whole number
DECIMAL = re.compile(r"(\d+)\.0*", re.ASCII)  # a whole number written as a decimal fraction


def text(table: TableFile, role: str, *, whole: bool | None = None) -> pd.Series:
    """A column as stripped text, "" where a cell is blank; whole numbers read from Parquet have no ".0"."""
    values = table.frame[role]
    if pd.api.types.is_float_dtype(values.dtype) and (_no_fractions(values) if whole is None else whole):
        values = values.astype("Int64")
    return values.astype("string").fillna("").str.strip().astype("str")


def whole_numbers(table: TableFile, role: str) -> bool:
    """Whether every id that is not blank is a whole number, perhaps written with decimals."""
    values = table.frame[role]
    if pd.api.types.is_integer_dtype(values.dtype):
        return True
    if pd.api.types.is_float_dtype(values.dtype):
        return _no_fractions(values)
    return _all_whole(normalised(cell) for cell in text(table, role).unique())


def _no_fractions(values: pd.Series) -> bool:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    return bool((np.isnan(numbers) | ((numbers == np.floor(numbers)) & (np.abs(numbers) < LARGEST_WHOLE))).all())


def _all_whole(names: Iterable[str]) -> bool:
    return all(name.isdecimal() or DECIMAL.fullmatch(name) for name in names if name)


def ids(table: TableFile, role: str, problems: Problems, *, whole: bool | None = None) -> pd.Series:
    """A column as text that must not be blank anywhere; ids that look the same are one (`normalised`). Where every cell
    is a whole number and some are written as decimals, as programs do when a cell is blank, 5863.0 is 5863.
    """
    cells = text(table, role, whole=whole)
    names = {cell: normalised(cell) for cell in cells.unique()}
    decimals = {cell: match[1] for cell, name in names.items() if (match := DECIMAL.fullmatch(name))}
    if decimals and (_all_whole(names.values()) if whole is None else whole):
        names |= decimals
        written = cells.isin(list(decimals))
        example, read = next(iter(decimals.items()))
        table.notes.append(
            f"The {role} ids of {table.path.name} look like decimals of whole numbers in {int(written.sum()):,} rows "
            f"({len(decimals):,} {role}s), such as {quoted(example)}; they are read as {quoted(read)}."
        )
    values = cells.map(names).astype("str")
    blank = (values == "").to_numpy()
    if blank.any():
        place, others = table.places(blank)
        problems.add(f"The {role} is blank in {place}{others}; every row needs one.")
    return values


def numbers(table: TableFile, role: str, problems: Problems, *, blank_allowed: bool) -> np.ndarray:
    """A column as finite float64 (rows,), NaN where a cell is blank and may be."""
    cells = text(table, role)
    if table.layout and table.layout.separator == ";":
        cells = cells.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)  # where commas are decimal points
    found = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(found) & ~((cells == "").to_numpy() & blank_allowed)
    if wrong.any():
        place, others = table.places(wrong)
        problems.add(f"The {role} {quoted(cells.iloc[int(np.argmax(wrong))])} in {place} is not a number{others}.")
    return found


def unix_seconds(
    table: TableFile,
    role: str,
    problems: Problems,
    *,
    blank_allowed: bool,
    order: DateOrder | None = None,
    reading: Reading | None = None,
) -> np.ndarray:
    """A column of clock times as float64 (rows,) seconds since 1970, NaN where a cell is blank and may be.

    What `read_times` reads, or how `reading` says; a column of Parquet that holds times is one already.
    """
    values = table.frame[role]
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        moments = pd.to_datetime(values, utc=True)
        cells = moments.astype("string").fillna("")
        seconds = ((moments - EPOCH) / pd.Timedelta(seconds=1)).to_numpy(dtype=float)
        how = "times"
    else:
        cells = text(table, role)
        codes, unique = pd.factorize(cells)
        written = unique.tolist()
        times = reading.of(written) if reading else read_times(written, order)
        if times.ambiguous:
            problems.add(
                f"The {role}s of {table.path}, such as {quoted(times.ambiguous)}, can be day/month or month/day, and "
                "nothing in the column says which; add --dates dayfirst or --dates monthfirst."
            )
            return np.zeros(len(cells))
        table.notes.append(f"The {role}s of {table.path.name} are {times.how}.")
        how = times.how
        seconds = np.array([np.nan if moment is None else moment for moment in times.seconds], dtype=float)[codes]
        if times.how == "Unix seconds" and (rounded := cells.str.fullmatch(r"[\d.]+[eE][+-]?\d+").to_numpy()).any():
            table.notes.append(
                f"{int(rounded.sum()):,} {role}s of {table.path.name} are rounded, such as "
                f"{quoted(cells.iloc[int(np.argmax(rounded))])} (a spreadsheet does that); "
                "those that became equal keep the order of the file."
            )
    _check(table, role, problems, cells, seconds, how, blank_allowed)
    return seconds


def _advice(cell: str, how: str) -> str:
    """What to do about a cell that is no time in a column that was read as `how` says."""
    orders: dict[str, DateOrder] = {DAY_FIRST: "monthfirst", MONTH_FIRST: "dayfirst"}
    for notation, other in orders.items():
        if notation in how and read_times([cell], other).seconds[0] is not None:
            return f"the column is read as {notation}, which --dates {other} changes"
    return "give Unix seconds or dates such as 2024-05-31 or 2024-05-31T18:00:00Z"


def _check(
    table: TableFile,
    role: str,
    problems: Problems,
    cells: pd.Series,
    seconds: np.ndarray,
    how: str,
    blank_allowed: bool,
) -> None:
    wrong = ~np.isfinite(seconds) & ~((cells == "").to_numpy() & blank_allowed)
    outside = (seconds < 0) | (seconds >= FAR_FUTURE)
    if wrong.any():
        place, others = table.places(wrong)
        cell = str(cells.iloc[int(np.argmax(wrong))])
        problems.add(f"The {role} {quoted(cell)} in {place} is no time{others}; {_advice(cell, how)}.")
    if outside.any():
        place, others = table.places(outside)
        problems.add(
            f"The {role} {quoted(cells.iloc[int(np.argmax(outside))])} in {place} lies before 1970 or after the year "
            f"5000{others}; give Unix seconds or a date from 1970 on."
        )
