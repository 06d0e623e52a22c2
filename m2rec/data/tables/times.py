"""Reads dates and times as people and programs write them, for tables, pasted lists, uploads and the command line. A
column is read as a whole, because one cell does not decide whether 03/04/2025 is in March or in April, nor whether a
number counts seconds or milliseconds.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise
from math import isfinite
from typing import Literal

DateOrder = Literal["dayfirst", "monthfirst"]
DAY_FIRST, MONTH_FIRST = "day/month/year", "month/day/year"  # how a column was read

SECONDS_A_DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
FAR_FUTURE = 1e11  # seconds; the year 5138. Larger numbers count smaller units.
UNITS = ((FAR_FUTURE, 1.0, "seconds"), (1e14, 1e3, "milliseconds"), (1e17, 1e6, "microseconds"))
MOST_DIGITS = 40  # of a number that can be a time

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_COMPACT = re.compile(  # 20250331, 20250331T1815Z, 20250331181500
    r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?:[T ]?([01]\d|2[0-3])([0-5]\d)([0-5]\d)?Z?)?", re.ASCII
)
_CLOCK = re.compile(  # behind a date: T18:00:00Z, or a blank and 6:00 PM
    r"(?:(?<=\d)[Tt]|[\s,]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*([AaPp]\.?[Mm]\b\.?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?(?=\s|$)",
    re.ASCII,
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})(?:\2(\d{1,2}))?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.]|\s)(\d{1,2})(?:\2|,\s*)(\d{4}|\d{2})", re.ASCII)
_NAMED = re.compile(  # 31 March 2025, March 31st, 2025, Mon, 31 Mar 2025
    r"(?:[A-Za-z]{3,9}\.?,?\s+)?"
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[-\s.]+([A-Za-z]{3,9})\.?[-,\s]+"
    r"|([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?[,\s]+)(\d{4}|\d{2})",
    re.ASCII,
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Times:
    """How a column of times was read. `seconds` since 1970, one a cell, None where it is blank or no time. `how` is the
    notation, such as "Unix milliseconds" or "day/month/year". `ambiguous` is a cell that could be in either of two
    months, where no other cell of the column decides; then no time is read.
    """

    seconds: list[float | None]
    how: str
    ambiguous: str | None = None


def read_times(cells: Sequence[str], order: DateOrder | None = None) -> Times:
    """Read a column of times, as UTC where no zone is named: numbers since 1970, ISO 8601, dates as people write them.

    `order` decides 03/04/2025. Without it the column must: by a day above 12, or by dots, which follow the day.
    """
    written, notations = _Written(cells), Notations()
    notations.count(written)
    return notations.reading(order).of(cells, written)


@dataclass(frozen=True)
class Reading:
    """How all cells of a column are read. `how` and `ambiguous` are those of `Times`."""

    kind: Literal["numbers", "compact", "dates"]
    how: str
    divisor: float = 1.0  # of numbers, to seconds
    day_first: bool = False
    ambiguous: str | None = None

    def of(self, cells: Sequence[str], written: "_Written | None" = None) -> Times:
        """Read some cells of the column, or all; `written` are the same cells where they were parsed already."""
        if self.ambiguous:
            return Times([None] * len(cells), self.how, self.ambiguous)
        found = written or _Written(cells)
        if self.kind == "compact":
            known = {cell: _compact(cell) for cell in found.cells if _COMPACT.fullmatch(cell)}
        elif self.kind == "numbers":
            numbers = found.numbers.items()
            known = {cell: number / self.divisor if isfinite(number) else None for cell, number in numbers}
        else:
            known = {cell: one.seconds(self.day_first) for cell, one in found.dates.items()}
        return Times([known.get(cell) for cell in cells], self.how)


class Notations:
    """What a column of times is written in. A large column is added in pieces, and read once all of it was seen."""

    def __init__(self) -> None:
        self._all_compact = True
        self._cells = self._dates = 0
        self._numbers = [0] * (len(UNITS) + 1)  # by the unit that they seem to count
        self._first_above_12 = self._second_above_12 = 0
        self._unclear: str | None = None
        self._names: dict[str, None] = {}

    def add(self, cells: Sequence[str]) -> None:
        """Look at some cells of the column; those that are repeated among them count once."""
        self.count(_Written(cells))

    def count(self, written: "_Written") -> None:
        """The same for cells that were parsed already."""
        self._all_compact = self._all_compact and all(_COMPACT.fullmatch(cell) for cell in written.cells)
        self._cells += len(written.cells)
        self._dates += len(written.dates)
        for number in written.numbers.values():
            self._numbers[next((at for at, unit in enumerate(UNITS) if abs(number) < unit[0]), -1)] += 1
        for cell, one in written.dates.items():
            self._names[one.how] = None
            if one.numeric:
                self._first_above_12 += one.first > 12 or one.day_first
                self._second_above_12 += one.second > 12
                if self._unclear is None and one.first != one.second:
                    self._unclear = cell

    def reading(self, order: DateOrder | None = None) -> Reading:
        """How the column is read, given all of its cells; `order` as in `read_times`."""
        count = sum(self._numbers)
        if self._cells and self._all_compact:
            return Reading("compact", "dates such as 20250331")
        if count and self._dates < count:  # the other cells are errors
            return self._since_1970(count)
        day_first = order == "dayfirst" if order else self._first_above_12 > self._second_above_12
        if self._unclear and not order and self._first_above_12 == self._second_above_12:
            return Reading("dates", "dates", ambiguous=self._unclear)
        numeric = DAY_FIRST if day_first else MONTH_FIRST
        names = dict.fromkeys(name or numeric for name in self._names)
        return Reading("dates", " and ".join(names) or "no times", day_first=day_first)

    def _since_1970(self, count: int) -> Reading:
        """By the unit of the number in the middle."""
        for (_, divisor, unit), below in zip(UNITS, accumulate(self._numbers), strict=False):
            if below > count // 2:
                return Reading("numbers", f"Unix {unit}", divisor)
        return Reading("numbers", "Unix nanoseconds", 1e9)


class _Written:
    """The cells of a column that are not blank, each once, and what those are that can be a number or a date."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.cells = [cell for cell in dict.fromkeys(cells) if cell]
        self.numbers = {
            cell: float(cell) for cell in self.cells if len(cell) <= MOST_DIGITS and _NUMBER.fullmatch(cell)
        }
        others = (cell for cell in self.cells if cell not in self.numbers)
        self.dates = {cell: parsed for cell in others if (parsed := _date(cell))}


def in_order(seconds: Iterable[float | None]) -> bool | None:
    """True where times rise, False where they fall, None where they do neither or both."""
    known = [moment for moment in seconds if moment is not None]
    pairs = list(pairwise(known))
    rising, falling = all(a <= b for a, b in pairs), all(a >= b for a, b in pairs)
    return None if rising == falling else rising


def _compact(cell: str) -> float | None:
    digits = re.sub(r"\D", "", cell).ljust(14, "0")
    parts = [int(digits[start:end]) for start, end in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))]
    return _moment(parts[0], parts[1], parts[2], float(parts[3] * 3600 + parts[4] * 60 + parts[5]))


@dataclass(frozen=True)
class _Date:
    """A date in one notation; where `order` is None, `first` and `second` are month and day."""

    year: int
    first: int
    second: int
    clock: float  # seconds of the day, in UTC
    how: str
    numeric: bool = False  # day and month are both numbers, before the year
    day_first: bool = False  # known from the notation

    def seconds(self, day_first: bool) -> float | None:
        month, day = (self.second, self.first) if self.numeric and day_first else (self.first, self.second)
        return _moment(self.year, month, day, self.clock)


def _date(cell: str) -> _Date | None:
    text, clock = cell.strip(), 0.0
    if len(text) > 60:
        return None
    if ":" in text and (match := _CLOCK.search(text)):
        parsed = _seconds_of_day(match)
        if parsed is None:
            return None
        clock, text = parsed, f"{text[: match.start()].rstrip(' ,T')} {text[match.end() :].strip()}".strip()
        zone = re.fullmatch(r"(.*?)\s([+-]\d{4})(\s.*|)", text)  # as in "Wed Aug 27 +0000 2008"
        if zone:
            clock, text = clock - _offset(zone[2]), f"{zone[1]}{zone[3]}"
    if match := _YEAR_FIRST.fullmatch(text):
        return _Date(int(match[1]), int(match[3]), int(match[4] or 1), clock, "year-month-day")
    if match := _YEAR_LAST.fullmatch(text):
        first, second = int(match[1]), int(match[3])
        return _Date(_year(match[4]), first, second, clock, "", numeric=True, day_first=match[2] == ".")
    if match := _NAMED.fullmatch(text):
        name = (match[2] or match[3])[:3].lower()
        if name in MONTHS:
            return _Date(
                _year(match[5]), MONTHS.index(name) + 1, int(match[1] or match[4]), clock, "dates with named months"
            )
    return None


def _seconds_of_day(match: re.Match[str]) -> float | None:
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[5][0] in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second + float(f"0.{match[4] or 0}") - _offset(match[6])


def _offset(zone: str | None) -> float:
    """Seconds by which a zone such as +02:00 is ahead of UTC."""
    if not zone or zone[0] not in "+-":
        return 0.0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1.0 if zone[0] == "-" else 1.0)


def _year(digits: str) -> int:
    """Two digits are a year from 1969 to 2068, as POSIX has it."""
    return int(digits) if len(digits) == 4 else int(digits) + (1900 if int(digits) >= 69 else 2000)


def _moment(year: int, month: int, day: int, clock: float) -> float | None:
    try:
        return (date(year, month, day).toordinal() - EPOCH) * SECONDS_A_DAY + clock
    except ValueError:
        return None
