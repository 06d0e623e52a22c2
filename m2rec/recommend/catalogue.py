"""The items of a world: from titles and ids to item indices, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from m2rec.checkpoint import Item
from m2rec.errors import InputError
from m2rec.recommend.search import SearchIndex, words_of
from m2rec.text_safety import folded, normalised, printable, quoted

SUGGESTIONS = 3
LONGEST_TITLE = 300  # characters shown of a title; the whole is still found


@dataclass(frozen=True)
class CatalogueItem:
    """One item as search results and histories show it."""

    item_id: str
    title: str
    group: str


class Catalogue:
    """Item index i (1…V, most popular first) is the i-th item."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = [CatalogueItem(item.item_id, _title(item), printable(item.group, LONGEST_TITLE)) for item in items]
        written = {item.item_id: index for index, item in enumerate(self.items, start=1)}
        self._written: Mapping[Any, int] = written
        self._by_id = {normalised(item_id): index for item_id, index in reversed(written.items())} | written
        # where two items share a title, the title means the more popular one
        self._by_title: dict[str, int] = {}
        for i, (item, shown) in reversed(list(enumerate(zip(items, self.items, strict=True), start=1))):
            self._by_title |= {name: i for title in (item.title, shown.title) if (name := folded(title))}
        self._index = SearchIndex([item.title for item in self.items])

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> CatalogueItem:
        """The item at index 1…V."""
        return self.items[index - 1]

    def index(self, name: str | int | np.integer) -> int:
        """Item index of a title (any case) or an id. Raises InputError with the nearest titles when there is none."""
        if isinstance(name, np.integer):
            name = int(name)
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise InputError(f"An item is named by its title or id, not by {type(name).__name__}.")
        found = self.find(name)
        if found:
            return found
        text = normalised(name if isinstance(name, str) else quoted(name))
        # there is no nearest title for a name without a letter or digit
        near = [f"“{item.title}”" for item in self.search(text, SUGGESTIONS) if words_of(text)]
        hint = f"; did you mean {' or '.join(near)}?" if near else "; search the catalogue for what it does have."
        raise InputError(f"{quoted(text)} is not in this world{hint}")

    def by_ids(self, names: Sequence[Any]) -> list[int] | None:
        """Item indices where every name is an id as it is written in the catalogue, as the page's are; else None."""
        try:
            return [self._written[name] for name in names]
        except (KeyError, TypeError):  # another name, or something that no name can be
            return None

    def find(self, name: str | int) -> int | None:
        """Item index of an id or a title, or None."""
        written = name if isinstance(name, str) else quoted(name)
        found = self._by_id.get(written)  # as the page asks, at every click for every item of the history
        if found:
            return found
        text = normalised(written)
        return self._by_id.get(text) or self._by_title.get(folded(text))

    def search(self, query: str, limit: int = 50) -> list[CatalogueItem]:
        """Items whose titles match, best first (see `SearchIndex`); an empty query gives the most popular."""
        return [self.items[place] for place in self._index.find(query, limit)]


def _title(item: Item) -> str:
    """The title that is shown; the id where the item has no visible title."""
    shown = printable(item.title, LONGEST_TITLE) if normalised(item.title) else ""
    return shown or f"Item {printable(item.item_id, LONGEST_TITLE)}"
