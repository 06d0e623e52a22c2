"""From what people ask about to what the model reads: titles, ids and items of their own words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from m2rec.errors import InputError
from m2rec.model.items import ItemTable
from m2rec.model.m2rec import M2Rec
from m2rec.recommend.catalogue import Catalogue
from m2rec.text_safety import printable

INVENTED = "~"  # a history entry that starts with it is no item of the world but a text of the visitor's own
LONGEST_INVENTION = 200

EncodeTexts = Callable[[Sequence[str]], np.ndarray]  # n texts → float32 (n, text width)


@dataclass(frozen=True)
class Reading:
    """A history as the model takes it. Indices above the catalogue's size are inventions, known by their text alone."""

    ids: list[str]  # item ids, and inventions as they were typed
    indices: list[int]
    table: ItemTable

    @property
    def in_catalogue(self) -> Tensor:
        """Indices (1, L) with 0 for inventions: what may be marked as seen."""
        items = torch.tensor([self.indices])
        return items.where(items < len(self.table.scoring) - self._inventions, 0)

    @property
    def _inventions(self) -> int:
        return len({name for name in self.ids if name.startswith(INVENTED)})


def read(
    history: Sequence[str | int], catalogue: Catalogue, model: M2Rec, table: ItemTable, encode: EncodeTexts
) -> Reading:
    """Look every entry up. Raises InputError for an unknown one, with the nearest titles."""
    inventions: dict[str, int] = {}
    indices = []
    for entry in history:
        text = _invented_text(entry)
        if text is None:
            indices.append(catalogue.index(entry))
        else:
            indices.append(inventions.setdefault(text, len(catalogue) + 1 + len(inventions)))
    if inventions:
        vectors = torch.from_numpy(encode(list(inventions)))
        table = model.extend(table, vectors)
    names = {index: INVENTED + text for text, index in inventions.items()}
    ids = [names.get(index) or catalogue[index].item_id for index in indices]
    return Reading(ids, indices, table)


def is_invention(entry: object) -> bool:
    """Whether an entry of a history is an item of one's own words."""
    return isinstance(entry, str) and entry.startswith(INVENTED)


def _invented_text(entry: str | int) -> str | None:
    if not isinstance(entry, str) or not is_invention(entry):
        return None
    text = printable(entry.removeprefix(INVENTED))
    if not text or len(text) > LONGEST_INVENTION:
        raise InputError(f"An invented item is “~” and 1 to {LONGEST_INVENTION} characters that say what it is.")
    return text
