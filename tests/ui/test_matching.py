import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.errors import InputError
from m2rec.ui.matching import entries, match
from tests.ui.fake_recommender import ITEMS

lines = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda line: (
        line.casefold() not in {"title", "name", "item", "id", "\ufeff"} and not set(line) & {",", '"', "\ufeff"}
    )
)


def test_one_title_a_line_even_with_a_comma_in_it() -> None:
    assert entries("Ground coffee\n\n  Tea, green \r\n") == ["Ground coffee", "Tea, green"]


def test_a_csv_file_is_read_by_its_title_column() -> None:
    text = '\ufeffwhen,Title,price\n1,"Coffee, ground",3\n2,Honey,4\n3,,5\n'
    assert entries(text) == ["Coffee, ground", "Honey"]


@pytest.mark.parametrize("text", ["", "  \n \n", "x" * 1_000_001, "a\n" * 4001])
def test_a_list_that_is_empty_or_too_long_says_so(text: str) -> None:
    with pytest.raises(InputError, match=r"list"):
        entries(text)


@given(st.lists(lines, min_size=1, max_size=15))
def test_no_line_is_dropped(written: list[str]) -> None:
    found = match(entries("\n".join(written)), ITEMS)
    assert [one.line for one in found] == written
    assert all(one.item is not None or one.suggestions for one in found)


def test_titles_ids_and_typos_are_found_and_nonsense_is_not() -> None:
    found = match(["ground COFFEE", "i01", "Sourdogh loaf", "flying carpet"], ITEMS)
    assert [one.item.title if one.item else None for one in found] == [
        "Ground coffee",
        "Oat milk",
        "Sourdough loaf",
        None,
    ]
    assert [one.exact for one in found] == [True, True, False, False]
    assert len(found[3].suggestions) == 3


def test_part_of_a_title_is_a_suggestion_and_no_match() -> None:
    (found,) = match(["coffee"], ITEMS)
    assert found.item is None
    assert "Ground coffee" in [item.title for item in found.suggestions]
