"""Pasted lists and CSV files: every line is matched to an item or listed with the nearest titles, none is dropped."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process, utils

from m2rec.data.tables.pasted import Entry, Pasted, read_list
from m2rec.errors import InputError
from m2rec.recommend.catalogue import CatalogueItem
from m2rec.text_safety import folded, normalised, printable
from m2rec.ui.session.state import HISTORY_LIMIT

LONGEST_TEXT = 2_000_000  # characters
TOO_LONG = f"The list is longer than {LONGEST_TEXT:,} characters: split it, or keep the newest part."
LONGEST_LINE = 300  # characters of a line that are compared and shown; no title needs more
SURE = 88.0  # least RapidFuzz score at which a misspelt title matches an item
SUGGESTIONS = 3
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ARTICLE_BEHIND = re.compile(r"^(.*), (the|a|an)$")


@dataclass(frozen=True)
class Match:
    """One line as written. `item` is None when nothing is near enough; then `suggestions` are the nearest."""

    line: str
    item: CatalogueItem | None
    exact: bool = False
    suggestions: tuple[CatalogueItem, ...] = ()
    day: int | None = None


def pasted(text: str) -> Pasted:
    """The result of `read_list` for a pasted or uploaded text, of a long list the newest that a history takes.

    Raises InputError, also for a text that is too long to be read.
    """
    if len(text) > LONGEST_TEXT:
        raise InputError(TOO_LONG)
    found = read_list(text)
    count = len(found.entries)
    if count > HISTORY_LIMIT:
        found.entries = found.entries[-HISTORY_LIMIT:]
        found.notes.append(f"Of {count:,} items the newest {HISTORY_LIMIT:,} were taken: a history takes no more.")
    return found


def match(lines: Sequence[Entry], items: Sequence[CatalogueItem]) -> list[Match]:
    """Each line with its item: by id, by title, or by a title that is nearly the same."""
    by_name = {folded(item.title): item for item in reversed(items)}
    by_name |= {folded(item.item_id): item for item in reversed(items)}
    by_id = {normalised(item.item_id): item for item in reversed(items)}
    keys = [_key(item.title) for item in items]
    places: dict[str, int] = {}  # the first of equal keys, and so the most popular item
    for place, key in enumerate(keys):
        places.setdefault(key, place)
        places.setdefault(_YEAR.sub("", key), place)
    known: dict[str, Match] = {}
    for line in lines:
        if line.text not in known:
            exact = by_id.get(normalised(line.text)) or by_name.get(folded(line.text))
            exact = exact or by_name.get(folded(line.title))
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
    """The form in which titles are compared: "The Matrix (1999)" and "Matrix, The (1999)" are one."""
    title = normalised(title)
    year = _YEAR.search(title)
    name = _YEAR.sub("", title).casefold().strip()
    behind = _ARTICLE_BEHIND.match(name)
    key = utils.default_process(f"{behind[2]} {behind[1]}" if behind else name)
    return f"{key} ({year[1]})" if year else key
