"""A history looked up by ids at once is what it is when each entry is looked up by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.checkpoint import Item
from m2rec.errors import InputError
from m2rec.recommend.catalogue import Catalogue
from m2rec.recommend.history import History, look_up

ITEMS = [Item("a", "Apple"), Item("b", "Bread"), Item("7", "Seven"), Item("~c", "Cocoa"), Item("Bread", "Loaf")]
CATALOGUE = Catalogue(ITEMS)


def one_by_one(history: list[str | int], longest: int | None) -> History:
    start = max(len(history) - longest, 0) if longest else 0
    indices = [CATALOGUE.index(entry) for entry in history]
    ids = [CATALOGUE[index].item_id for index in indices]
    return History(ids[start:], indices[start:], indices[:start], [], len(ITEMS))


@given(
    history=st.lists(st.sampled_from(["a", "b", "7", "Bread", 7, "apple", " a", "Cocoa"]), max_size=12),
    longest=st.none() | st.integers(1, 12),
)
def test_ids_and_titles_are_looked_up_alike(history: list[str | int], longest: int | None) -> None:
    assert look_up(history, longest, CATALOGUE) == one_by_one(history, longest)


def test_an_entry_with_a_tilde_is_an_invention_even_where_an_id_is_written_so() -> None:
    found = look_up(["a", "~c"], None, CATALOGUE)
    assert (found.indices, found.ids, found.inventions) == ([1, len(ITEMS) + 1], ["a", "~c"], ["c"])


@pytest.mark.parametrize("entry", [["a"], {"a": 1}, True, None, 1.5, np.array([1, 2]), "nothing", "~"])
def test_what_names_no_item_is_refused(entry: object) -> None:
    with pytest.raises(InputError):
        look_up(["a", entry], None, CATALOGUE)  # type: ignore[list-item]
