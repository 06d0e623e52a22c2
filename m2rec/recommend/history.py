"""Looks up a history: from titles, ids and invented items to item indices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import numpy as np

from m2rec.errors import InputError
from m2rec.item_ids import INVENTED
from m2rec.recommend.catalogue import Catalogue
from m2rec.text_safety import printable

LONGEST_INVENTION = 200


class Listable(Protocol):
    """Anything with `tolist`: an array of NumPy, a Series of pandas."""

    def tolist(self) -> Any:
        """Its entries as Python's own."""


GivenHistory = Sequence[str | int] | Listable  # titles or ids, oldest first

LISTING = ("tolist", "to_list", "to_pylist")  # how NumPy, pandas, Polars and Arrow give a list of Python's own


@dataclass(frozen=True)
class History:
    """A history as the model reads it. Indices above the catalogue's size are inventions, known by their text alone."""

    ids: list[str]  # of the items that the model reads: item ids, and inventions as they were typed
    indices: list[int]
    older: list[int]  # older items, which are not read and count as already chosen
    inventions: list[str]  # the texts of items V + 1, V + 2, …
    items: int  # V, the catalogue's size

    def seen(self, without: int | None = None) -> np.ndarray:
        """Which items of the catalogue were already chosen, at any time. → bool (V,).

        `without`: as if this item had never been chosen.
        """
        return seen_mask([index for index in (*self.older, *self.indices) if index != without], self.items)


def seen_mask(chosen: Sequence[int], items: int) -> np.ndarray:
    """Item indices 1…V as a mask; indices outside the catalogue are ignored. → bool (V,)."""
    mask = np.zeros(items + 1, dtype=bool)
    mask[[index for index in chosen if index <= items]] = True
    return mask[1:]


def look_up(
    history: Sequence[str | int], longest: int | None, catalogue: Catalogue, known: Sequence[str] = ()
) -> History:
    """Look every entry up; the model reads the newest `longest` of them, or all.

    `known`: earlier invented texts, which keep their indices. Raises InputError for an unknown entry, with the
    nearest titles.
    """
    quick = catalogue.by_ids(history) if not known else None
    if quick is not None and not any(map(_is_invented, history)):
        start = 0 if longest is None else max(len(quick) - longest, 0)
        return History([str(entry) for entry in history[start:]], quick[start:], quick[:start], [], len(catalogue))
    inventions = {text: len(catalogue) + place for place, text in enumerate(known, start=1)}
    start = 0 if longest is None else max(len(history) - longest, 0)
    older = [catalogue.index(entry) for entry in history[:start] if _invented_text(entry) is None]
    indices = []
    for entry in history[start:]:
        text = _invented_text(entry)
        if text is None:
            indices.append(catalogue.index(entry))
        else:
            indices.append(inventions.setdefault(text, len(catalogue) + 1 + len(inventions)))
    names = {index: INVENTED + text for text, index in inventions.items()}
    ids = [names.get(index) or catalogue[index].item_id for index in indices]
    return History(ids, indices, older, list(inventions), len(catalogue))


def latest_inventions(ids: Sequence[str], most: int) -> list[str]:
    """The texts of the invented items that were chosen last, newest first, at most `most`. `ids` as in `History`."""
    texts: dict[str, None] = {}
    for entry in reversed(ids):
        if len(texts) == most:
            break
        if _is_invented(entry):
            texts[entry.removeprefix(INVENTED)] = None
    return list(texts)


def as_list(history: object) -> list[Any]:
    """A history as a list: any sequence, an array of one dimension, a Series of pandas. Raises InputError."""
    if not isinstance(history, str | bytes | Mapping):
        if isinstance(history, Sequence):
            return list(history)
        listed = next((getattr(history, name) for name in LISTING if callable(getattr(history, name, None))), None)
        entries = listed() if listed else None
        if isinstance(entries, list) and not any(isinstance(entry, list) for entry in entries):
            return entries
    raise InputError("history must be a list of titles or ids, oldest first.")


def _is_invented(entry: str | int) -> TypeGuard[str]:
    return isinstance(entry, str) and entry.startswith(INVENTED)


def _invented_text(entry: str | int) -> str | None:
    if not _is_invented(entry):
        return None
    text = printable(entry.removeprefix(INVENTED))
    if not text or len(text) > LONGEST_INVENTION:
        raise InputError(f"An invented item is “~” and 1 to {LONGEST_INVENTION} characters that say what it is.")
    return text
