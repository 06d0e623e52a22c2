"""What the branches have in common: tables with a row for every item, which new items can be added to."""

import copy
from abc import abstractmethod
from typing import Protocol, Self

import numpy as np

from m2rec.inference.items import ItemArrays


class PerItem(Protocol):
    """A branch's tables over items, row 0 for padding."""

    @abstractmethod
    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """The rows of these items in each table, by the attribute that holds the table."""

    def take(self, items: ItemArrays) -> None:
        """Fill the tables."""
        for name, rows in self.per_item(items).items():
            setattr(self, name, rows)

    def extended(self, more: ItemArrays) -> Self:
        """The same branch with more items appended to its tables."""
        twin = copy.copy(self)
        for name, rows in self.per_item(more).items():
            setattr(twin, name, np.concatenate([getattr(self, name), rows]))
        return twin
