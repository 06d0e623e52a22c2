"""Pasted lists and CSV files: every line is matched to an item or listed with the nearest titles, none is dropped."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rapidfuzz import fuzz, process, utils

from m2rec.errors import InputError
from m2rec.recommend.catalogue import CatalogueItem
from m2rec.text_safety import folded, normalised, printable
from m2rec.ui.session.state import HISTORY_LIMIT

LONGEST_TEXT = 1_000_000  # characters
LONGEST_LINE = 300  # characters of a line that are compared and shown; no title needs more
SURE = 88.0  # RapidFuzz score from which a misspelt title is taken for the item
SUGGESTIONS = 3
TITLE_COLUMNS = ("title", "name", "item", "product", "film", "movie", "item_id", "id")
YEAR_COLUMNS = ("year", "released", "release year")
DATE_COLUMNS = ("date", "day", "when", "watched date", "date rated", "timestamp", "time")
SECONDS_A_DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ARTICLE_BEHIND = re.compile(r"^(.*), (the|a|an)$")


@dataclass(frozen=True)
class Entry:
    """One line of a list: a title, and where the file has them a year and a day since 1970."""

    title: str
    year: str = ""
    day: int | None = None

    @property
    def text(self) -> str:
        """The title as a person would look for it, the year behind it."""
        return f"{self.title} ({self.year})" if self.year and not _YEAR.search(self.title) else self.title


@dataclass(frozen=True)
class Match:
    """One line as written. `item` is None when nothing is near enough; then `suggestions` are the nearest."""

    line: str
    item: CatalogueItem | None
    exact: bool = False
    suggestions: tuple[CatalogueItem, ...] = ()
    day: int | None = None


def entries(text: str) -> list[Entry]:
    """A pasted list, one title a line, or a CSV file with a title column, oldest first.

    A CSV file may have a year and a date, such as 2025-03-31 or seconds since 1970; where every line has a date, the
    lines are put in its order. Raises InputError.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(f"The list is longer than {LONGEST_TEXT:,} characters: split it, or keep the newest part.")
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines:
        raise InputError("The list is empty: write one title a line, or choose a CSV file with a title column.")
    try:
        found = _of_file(lines)
    except csv.Error as error:
        raise InputError(
            f"The list is not a regular CSV table ({error}): close every quote, or paste one title a line."
        ) from error
    if not found:
        raise InputError("The list is a header without rows: write one title a line below it.")
    if len(found) > HISTORY_LIMIT:
        raise InputError(f"The list holds {len(found)} items; a history takes up to {HISTORY_LIMIT}: keep the newest.")
    if all(entry.day is not None for entry in found):
        found.sort(key=lambda entry: entry.day or 0)
    return found


def _of_file(lines: list[str]) -> list[Entry]:
    """The rows of a CSV file with a title column, or the lines themselves where the first one names none."""
    if len(lines[0]) <= LONGEST_LINE:
        header = [cell.strip().casefold() for cell in next(csv.reader(lines[:1]))]
        if set(header) & set(TITLE_COLUMNS):
            return _of_table(header, lines[1:])
    return [Entry(line) for line in lines]


def match(lines: Sequence[Entry], items: Sequence[CatalogueItem]) -> list[Match]:
    """Each line with its item: by id, by title, or by a title that is nearly the same."""
    by_name = {folded(item.title): item for item in reversed(items)}
    by_name |= {folded(item.item_id): item for item in items}
    keys = [_key(item.title) for item in items]
    places: dict[str, int] = {}  # the first of equal keys, and so the most popular item
    for place, key in enumerate(keys):
        places.setdefault(key, place)
        places.setdefault(_YEAR.sub("", key), place)
    known: dict[str, Match] = {}
    for line in lines:
        if line.text not in known:
            exact = by_name.get(folded(line.text)) or by_name.get(folded(line.title))
            shown = printable(line.text, LONGEST_LINE)
            known[line.text] = Match(shown, exact, exact=True) if exact else _nearest(line, items, keys, places)
    return [replace(known[line.text], day=line.day) for line in lines]


def _nearest(line: Entry, items: Sequence[CatalogueItem], keys: Sequence[str], places: dict[str, int]) -> Match:
    shown, key = printable(line.text, LONGEST_LINE), _key(line.text[:LONGEST_LINE])
    near = process.extract(key, keys, scorer=fuzz.WRatio, limit=SUGGESTIONS)
    suggestions = tuple(items[index] for _, _, index in near)
    if key in places:
        return Match(shown, items[places[key]], suggestions=suggestions)
    best = process.extractOne(key, keys, scorer=fuzz.ratio, score_cutoff=SURE)  # the whole title, give or take a typo
    found = items[best[2]] if best else None
    if found and line.year and (year := _YEAR.search(found.title)) and year[1] != line.year:
        found = None  # another film of nearly the same name
    return Match(shown, found, suggestions=suggestions)


def _key(title: str) -> str:
    """What titles are compared by: "The Matrix (1999)" and "Matrix, The (1999)" are one."""
    title = normalised(title)
    year = _YEAR.search(title)
    name = _YEAR.sub("", title).casefold().strip()
    behind = _ARTICLE_BEHIND.match(name)
    key = utils.default_process(f"{behind[2]} {behind[1]}" if behind else name)
    return f"{key} ({year[1]})" if year else key


def _of_table(header: list[str], lines: list[str]) -> list[Entry]:
    places = [_first(header, names) for names in (TITLE_COLUMNS, YEAR_COLUMNS, DATE_COLUMNS)]
    found = []
    for row in csv.reader(io.StringIO("\n".join(lines))):
        title, year, when = (row[at].strip() if at is not None and at < len(row) else "" for at in places)
        if title:
            found.append(Entry(title, _four_digits(year), _day(when)))
    return found


def _first(header: list[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _four_digits(cell: str) -> str:
    return cell[:4] if cell[:4].isdecimal() and len(cell[:4]) == 4 else ""


def _day(cell: str) -> int | None:
    """A date such as 2025-03-31, with or without a time behind it, or seconds since 1970; None for anything else."""
    if cell.isdecimal() and len(cell) in (9, 10):
        return int(cell) // SECONDS_A_DAY
    try:
        return date.fromisoformat(cell[:10]).toordinal() - EPOCH
    except ValueError:
        return None
