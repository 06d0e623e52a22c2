"""Pasted lists and CSV files: every line is matched to an item or listed with the nearest titles, none is dropped."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process, utils

from m2rec.errors import InputError
from m2rec.recommend.catalogue import CatalogueItem
from m2rec.ui.state import HISTORY_LIMIT
from m2rec.wording import printable

LONGEST_TEXT = 1_000_000  # characters
LONGEST_LINE = 300  # characters of a line that are compared and shown; no title needs more
SURE = 88.0  # RapidFuzz score from which a misspelt title is taken for the item
SUGGESTIONS = 3
TITLE_COLUMNS = ("title", "name", "item", "product", "film", "movie", "item_id", "id")


@dataclass(frozen=True)
class Match:
    """One line as written. `item` is None when nothing is near enough; then `suggestions` are the nearest."""

    line: str
    item: CatalogueItem | None
    exact: bool = False
    suggestions: tuple[CatalogueItem, ...] = ()


def entries(text: str) -> list[str]:
    """The titles in a pasted list or a CSV file: a title column where there is one, otherwise one title a line."""
    if len(text) > LONGEST_TEXT:
        raise InputError(f"The list is longer than {LONGEST_TEXT:,} characters: split it, or keep the newest part.")
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines:
        raise InputError("The list is empty: write one title a line, or choose a CSV file with a title column.")
    try:
        found = _titles(lines)
    except csv.Error as error:
        raise InputError(
            f"The list is not a regular CSV table ({error}): close every quote, or paste one title a line."
        ) from error
    if not found:
        raise InputError("The list is a header without rows: write one title a line below it.")
    if len(found) > HISTORY_LIMIT:
        raise InputError(f"The list holds {len(found)} items; a history takes up to {HISTORY_LIMIT}: keep the newest.")
    return found


def _titles(lines: list[str]) -> list[str]:
    """The title column of a CSV file, or the lines themselves where the first one names no such column."""
    if len(lines[0]) > LONGEST_LINE:
        return lines
    header = [cell.strip().casefold() for cell in next(csv.reader(lines[:1]))]
    column = next((header.index(name) for name in TITLE_COLUMNS if name in header), None)
    if column is None:
        return lines
    rows = csv.reader(io.StringIO("\n".join(lines[1:])))
    return [row[column].strip() for row in rows if len(row) > column and row[column].strip()]


def match(lines: Sequence[str], items: Sequence[CatalogueItem]) -> list[Match]:
    """Each line with its item: by id, by title, or by a title that is nearly the same."""
    by_name = {item.title.casefold(): item for item in reversed(items)}
    by_name |= {item.item_id.casefold(): item for item in items}
    keys = [utils.default_process(item.title) for item in items]
    known: dict[str, Match] = {}
    for line in lines:
        if line not in known:
            exact = by_name.get(line.casefold())
            shown = printable(line, LONGEST_LINE)
            known[line] = Match(shown, exact, exact=True) if exact else _nearest(shown, items, keys)
    return [known[line] for line in lines]


def _nearest(line: str, items: Sequence[CatalogueItem], keys: Sequence[str]) -> Match:
    key = utils.default_process(line)
    best = process.extractOne(key, keys, scorer=fuzz.ratio, score_cutoff=SURE)  # the whole title, give or take a typo
    near = process.extract(key, keys, scorer=fuzz.WRatio, limit=SUGGESTIONS)
    return Match(line, items[best[2]] if best else None, suggestions=tuple(items[index] for _, _, index in near))
