"""Reads dates and times as people and programs write them, for tables, pasted lists, uploads and the command line. A
column is read as a whole, because one cell does not decide whether 03/04/2025 is in March or in April, nor whether a
number counts seconds or milliseconds.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import isfinite
from typing import Literal

DateOrder = Literal["dayfirst", "monthfirst"]

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
    written = [cell for cell in dict.fromkeys(cells) if cell]
    numbers = {cell: float(cell) for cell in written if len(cell) <= MOST_DIGITS and _NUMBER.fullmatch(cell)}
    if written and all(_COMPACT.fullmatch(cell) for cell in written):
        known, how = {cell: _compact(cell) for cell in written}, "dates such as 20250331"
    else:
        dates = {cell: parsed for cell in written if cell not in numbers and (parsed := _date(cell))}
        if len(dates) >= max(len(numbers), 1) or not numbers:
            return _dates(cells, dates, order)
        known, how = _since_1970(numbers)  # the other cells are errors
    return Times([known.get(cell) for cell in cells], how)


def in_order(seconds: Iterable[float | None]) -> bool | None:
    """True where times rise, False where they fall, None where they do neither or both."""
    known = [moment for moment in seconds if moment is not None]
    pairs = list(pairwise(known))
    rising, falling = all(a <= b for a, b in pairs), all(a >= b for a, b in pairs)
    return None if rising == falling else rising


def _since_1970(numbers: dict[str, float]) -> tuple[dict[str, float | None], str]:
    typical = sorted(abs(number) for number in numbers.values())[len(numbers) // 2]
    divisor, unit = next(((by, name) for below, by, name in UNITS if typical < below), (1e9, "nanoseconds"))
    return {cell: number / divisor if isfinite(number) else None for cell, number in numbers.items()}, f"Unix {unit}"


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


def _dates(cells: Sequence[str], found: dict[str, _Date], order: DateOrder | None) -> Times:
    numeric = {cell: one for cell, one in found.items() if one.numeric}
    ways = (
        sum(one.first > 12 or one.day_first for one in numeric.values()),
        sum(one.second > 12 for one in numeric.values()),
    )
    day_first = order == "dayfirst" if order else ways[0] > ways[1]
    if numeric and not order and ways[0] == ways[1]:
        unclear = next((cell for cell, one in numeric.items() if one.first != one.second), None)
        if unclear:
            return Times([None] * len(cells), "dates", ambiguous=unclear)
    known = {cell: one.seconds(day_first) for cell, one in found.items()}
    names = dict.fromkeys(
        ("day/month/year" if day_first else "month/day/year") if one.numeric else one.how for one in found.values()
    )
    return Times([known.get(cell) for cell in cells], " and ".join(names) or "no times")


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
