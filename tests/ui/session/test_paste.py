import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.tables.columns import plain
from m2rec.data.tables.pasted import ALONE, Entry
from m2rec.errors import InputError
from m2rec.recommend.catalogue import CatalogueItem
from m2rec.text_safety import normalised, printable
from m2rec.ui.session.paste import LONGEST_TEXT, match, pasted
from tests.ui.fake_recommender import ITEMS

lines = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20).filter(
    lambda line: plain(line) not in ALONE and not set(line) & {",", '"', "\ufeff"} and normalised(line)
)


def test_one_title_a_line_even_with_a_comma_in_it() -> None:
    assert pasted("Ground coffee\n\n  Tea, green \r\n").entries == [Entry("Ground coffee"), Entry("Tea, green")]


def test_a_csv_file_is_read_by_its_title_column() -> None:
    text = '\ufeffwhen,Title,price\n1,"Coffee, ground",3\n2,Honey,4\n3,,5\n'
    assert [entry.title for entry in pasted(text).entries] == ["Coffee, ground", "Honey"]


def test_years_and_dates_are_read_and_dated_lines_are_put_in_order() -> None:
    text = "Date,Name,Year,Link\n1970-01-03,Second,1994,x\n1970-01-02 20:15,First,,x\n"
    assert pasted(text).entries == [Entry("First", "", 1), Entry("Second", "1994", 2)]
    assert pasted("title,timestamp\nA,978300019\nB,soon\n").entries == [Entry("A", "", 11322), Entry("B")]


FILMS = [
    CatalogueItem("1", "Matrix, The (1999)", ""),
    CatalogueItem("2", "Emma (1996)", ""),
    CatalogueItem("3", "Up", ""),
]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (Entry("The Matrix"), "1"),
        (Entry("the matrix", "1999"), "1"),
        (Entry("The Matrix (1999)"), "1"),
        (Entry("Teh Matrix", "1999"), "1"),
        (Entry("Emma", "2020"), None),
        (Entry("Emma"), "2"),
    ],
    ids=lambda value: value.text if isinstance(value, Entry) else "",
)
def test_articles_and_years_are_no_obstacle_and_another_year_is_another_film(entry: Entry, found: str | None) -> None:
    (one,) = match([entry], FILMS)
    assert (one.item and one.item.item_id) == found
    assert one.item or one.suggestions


@pytest.mark.parametrize("text", ["", "  \n \n", "x" * (LONGEST_TEXT + 1)])
def test_a_list_that_is_empty_or_too_long_says_so(text: str) -> None:
    with pytest.raises(InputError, match=r"list"):
        pasted(text)


def test_of_a_long_list_the_newest_are_taken_and_said_whichever_end_they_stand_at() -> None:
    said = "Of 4,002 items the newest 4,000 were taken: a history takes no more."
    plain = pasted("\n".join(f"Title {number}" for number in range(4002)))
    assert [entry.title for entry in plain.entries] == [f"Title {number}" for number in range(2, 4002)]
    assert plain.notes == [said]
    newest_first = pasted("\n".join(["title,time", *(f"Title {number},{number}" for number in range(4001, -1, -1))]))
    assert newest_first.entries == plain.entries
    assert said in newest_first.notes


@given(st.lists(lines, min_size=1, max_size=15))
def test_no_line_is_dropped(written: list[str]) -> None:
    found = match(pasted("\n".join(written)).entries, ITEMS)
    assert [one.line for one in found] == [printable(line) for line in written]
    assert all(one.item is not None or one.suggestions for one in found)


def test_titles_ids_and_typos_are_found_and_nonsense_is_not() -> None:
    found = match(pasted("ground COFFEE\ni01\nSourdogh loaf\nflying carpet").entries, ITEMS)
    assert [one.item.title if one.item else None for one in found] == [
        "Ground coffee",
        "Oat milk",
        "Sourdough loaf",
        None,
    ]
    assert [one.exact for one in found] == [True, True, False, False]
    assert len(found[3].suggestions) == 3


@pytest.mark.parametrize(
    "written", ["Ame\u0301lie", "Am\u00e9lie\u200b", "AM\u00c9LIE", "Am\u00e9\u00adlie"], ids=ascii
)
def test_accents_are_one_letter_however_composed_and_what_is_invisible_does_not_count(written: str) -> None:
    films = [CatalogueItem("1", "Ame\u0301lie\ufeff", ""), CatalogueItem("2", "Amelia", "")]
    (found,) = match(pasted(written).entries, films)
    assert (found.item and found.item.item_id, found.exact) == ("1", True)


def test_part_of_a_title_is_a_suggestion_and_no_match() -> None:
    (found,) = match([Entry("coffee")], ITEMS)
    assert found.item is None
    assert "Ground coffee" in [item.title for item in found.suggestions]


def test_ids_that_differ_in_their_case_alone_are_different_items() -> None:
    items = [CatalogueItem("AbC", "Red lamp", ""), CatalogueItem("aBc", "Blue lamp", "")]
    found = match([Entry(text) for text in ("AbC", "aBc", "abc")], items)
    assert [one.item.title for one in found] == ["Red lamp", "Blue lamp", "Red lamp"]  # of equal ones the more popular
