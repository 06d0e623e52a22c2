"""Pasted histories: one title a line, or a table with titles and, if they like, years, dates and whose each row is.

Pasted lists, uploads and `recommend --history` are read here; names, separators, quotes and times are those of
`columns.py`, `delimited.py` and `times.py`, as for whole tables.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from m2rec.data.tables.columns import LISTS, plain, recognise
from m2rec.data.tables.delimited import Layout, QuoteError, layout_of, with_quotes
from m2rec.data.tables.file_format import no_table, packed_as
from m2rec.data.tables.problems import counted
from m2rec.data.tables.times import SECONDS_A_DAY, Times, in_order, read_times
from m2rec.errors import InputError
from m2rec.text_safety import normalised, quoted

LONGEST_HEADER = 300  # characters
ALONE = ("title", "name", "item", "product", "film", "movie", "itemid", "id")  # what a header of one column can be
SEPARATORS = (",", ";", "\t", "|")
RUNNING = 366 * SECONDS_A_DAY  # if all times are in 1970, they are no times
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")


@dataclass(frozen=True)
class Entry:
    """One line of a list: a title, and where the table has them a year and a day since 1970."""

    title: str
    year: str = ""
    day: int | None = None

    @property
    def text(self) -> str:
        """The title as it is searched for, followed by the year."""
        return f"{self.title} ({self.year})" if self.year and not _YEAR.search(self.title) else self.title


@dataclass
class Pasted:
    """The entries, oldest first, and notes for the reader: how dates were read, what was left out, whose rows it is."""

    entries: list[Entry]
    notes: list[str] = field(default_factory=list)


def read_list(text: str) -> Pasted:
    """Read a list of titles, oldest first, or a table with a title column; dates decide the order where all are read.

    Of a table of several people, one person's rows are read, because a history is one person's. Raises InputError for
    an empty list, for what is no text, and for an irregular table.
    """
    text = text.removeprefix("\ufeff")
    start = text[:100].encode("latin-1", "replace")
    problem = no_table(start) or packed_as(start)
    if problem or "\0" in text[:1000]:
        raise InputError(f"The list is no text but {problem or 'something with NUL bytes'}: choose a CSV or text file.")
    lines = [line.strip(" \r\n") for line in text.splitlines() if normalised(line)]
    if not lines:
        raise InputError("The list is empty: write one title a line, or choose a CSV file with a title column.")
    layout = _layout(lines)
    if layout is None:
        return Pasted([Entry(line.strip()) for line in lines])
    try:
        layout = with_quotes(layout, lambda: [f"{line}\n" for line in lines])
        rows = list(layout.rows([layout.prepared(f"{line}\n") for line in lines]))
    except (QuoteError, csv.Error) as error:
        raise InputError(
            f"The list is not a regular CSV table ({error}): close every quote, or paste one title a line."
        ) from error
    pasted = _of_table(layout, rows[1:] if layout.header else rows)
    if not pasted.entries:
        raise InputError("The list is a header without rows: write one title a line below it.")
    return pasted


def _layout(lines: Sequence[str]) -> Layout | None:
    """The layout of the lines as a table, or None for one title a line."""
    if len(lines[0]) <= LONGEST_HEADER:
        found = layout_of("\n".join(lines), LISTS)
        roles = recognise(found.columns, LISTS)
        if found.header and "title" in roles and (len(found.columns) > 1 or plain(found.columns[0]) in ALONE):
            return found
    for separator in SEPARATORS:  # without a header: a title and a date on every line
        layout = Layout(separator, ("1", "2"), header=False)
        try:
            rows = list(layout.rows([f"{line}\n" for line in lines]))
        except csv.Error:
            continue
        if all(len(row) == 2 for row in rows):
            for when in (1, 0):
                times = read_times([row[when].strip() for row in rows])
                if times.ambiguous or all(moment is not None for moment in times.seconds):
                    return replace(layout, columns=("title", "date") if when else ("date", "title"))
    return None


def _of_table(layout: Layout, rows: Sequence[Sequence[str]]) -> Pasted:
    roles = recognise(layout.columns, LISTS)

    def cells(role: str) -> list[str]:
        at = layout.columns.index(roles[role]) if role in roles else None
        return [row[at].strip() if at is not None and at < len(row) else "" for row in rows]

    titles, years, dates = cells("title"), cells("year"), cells("date")
    named = [row for row, title in enumerate(titles) if normalised(title)]
    notes = []
    if any(row and not titles[at] and any(row) for at, row in enumerate(rows)):
        notes.append(f"{counted(sum(any(row) for row in rows) - len(named), 'row')} without a title left out.")
    users = [normalised(user) for user in cells("user")]
    people = Counter(users[row] for row in named if users[row])
    if len(people) > 1:
        user, most = people.most_common(1)[0]  # of equal ones the first
        notes.append(
            f"The column {quoted(roles['user'])} names {len(people):,} people: only the rows of {quoted(user)} were "
            f"taken, {most:,} of {len(named):,}; nobody has more."
        )
        named = [row for row in named if users[row] == user]
    pasted = Pasted([Entry(titles[row], _four_digits(years[row])) for row in named], notes)
    if any(dates):
        _by_date(pasted, [dates[row] for row in named])
    return pasted


def _by_date(pasted: Pasted, dates: Sequence[str]) -> None:
    """Give every entry its day and put them in order, or say why the order of the list was kept."""
    times = _settled(dates)
    if times.ambiguous:
        pasted.notes.append(
            f"The dates, such as {quoted(times.ambiguous)}, can be day/month or month/day, so they were not used and "
            "the order of the list was kept."
        )
        return
    unread = [cell for cell, moment in zip(dates, times.seconds, strict=True) if moment is None or moment < 0]
    if unread:
        pasted.notes.append(
            f"{len(unread):,} of {len(dates):,} dates were not understood, such as {quoted(unread[0])}, so the order "
            "of the list was kept."
        )
    moments = [moment for moment in times.seconds if moment is not None]
    if moments and not (times.how.startswith("Unix") and max(moments) < RUNNING):
        days = [None if moment is None or moment < 0 else int(moment // SECONDS_A_DAY) for moment in times.seconds]
        pasted.entries = [replace(entry, day=day) for entry, day in zip(pasted.entries, days, strict=True)]
        pasted.notes.append(f"The dates were read as {times.how}.")
    if not unread:
        _sort(pasted, moments)


def _sort(pasted: Pasted, moments: Sequence[float]) -> None:
    falling = in_order(moments) is False  # newest first: then entries of one day are too
    numbered = list(enumerate(zip(moments, pasted.entries, strict=True)))
    ordered = sorted(numbered[::-1] if falling else numbered, key=lambda row: row[1][0])
    if falling:
        pasted.notes.append("The list was newest first and was turned round.")
    elif [row for row, _ in ordered] != list(range(len(ordered))):
        pasted.notes.append("The list was put in the order of its dates.")
    pasted.entries = [entry for _, (_, entry) in ordered]


def _settled(dates: Sequence[str]) -> Times:
    """The dates; an ambiguous month is decided by the reading in which the list is in order."""
    times = read_times(dates)
    if not times.ambiguous:
        return times
    readings = [read_times(dates, "dayfirst"), read_times(dates, "monthfirst")]
    sorted_ones = [one for one in readings if None not in one.seconds and in_order(one.seconds) is not None]
    return sorted_ones[0] if len(sorted_ones) == 1 else times


def _four_digits(cell: str) -> str:
    return cell[:4] if cell[:4].isdecimal() and len(cell[:4]) == 4 else ""
