import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.tables.columns import INTERACTIONS, ITEMS
from m2rec.data.tables.delimited import SEPARATORS, QuoteError, layout_of, with_quotes


@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_usual_separator_is_found_with_and_without_a_header(separator: str) -> None:
    rows = [["u1", "b1", "5", "1391040000"], ["u2", "b2", "4", "1397692800"]]
    body = "\n".join(separator.join(row) for row in rows)
    header = separator.join(["user_id", "item_id", "rating", "timestamp"])
    assert layout_of(f"{header}\n{body}\n", INTERACTIONS).separator == separator
    bare = layout_of(body, INTERACTIONS)
    assert (bare.separator, bare.header, bare.columns) == (separator, False, ("1", "2", "3", "4"))


@pytest.mark.parametrize(
    ("text", "separator", "header"),
    [
        ("item;title\nb1;Jam, with apples, pears, plums\nb2;Tea\n", ";", True),
        ("item\ttitle\nb1\tJam, red\nb2\tTea, green\n", "\t", True),
        ("1::Toy Story (1995)::Animation|Comedy\n2::Jumanji, or so (1995)::Adventure|Fantasy\n", "::", False),
        ('item,title\nb1,"Jam; with; apples"\nb2,Tea\n', ",", True),
        ("item,title\n", ",", True),
        ("title\nGround coffee, decaf\n", ",", True),
        (",user,item\n0,u1,b1\n", ",", True),
        ("0,1,2\nu1,b1,7\n", ",", True),
        ("movieId,title,genres\nb1,Jam (1995),Comedy\n", ",", True),
    ],
)
def test_separators_inside_cells_do_not_count(text: str, separator: str, header: bool) -> None:
    found = layout_of(text, ITEMS)
    assert (found.separator, found.header) == (separator, header)


def test_the_last_line_of_a_text_that_was_cut_off_is_ignored() -> None:
    cut = "item,title\n" + "b1,Jam\n" * 40 + 'b2,"half a ti'
    assert layout_of(cut, ITEMS, complete=False).columns == ("item", "title")


def quotes(text: str, names=ITEMS):
    lines = text.splitlines(keepends=True)
    found = with_quotes(layout_of(text, names), lambda: lines)
    return list(found.rows(map(found.prepared, lines)))


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ('"The ""best"" jam"', 'The "best" jam'),
        (r'"The \"best\" jam"', 'The "best" jam'),
        (r'"ends in a quote \""', 'ends in a quote "'),
        (r'"a folder\"', "a folder\\"),
        ('The "best" jam', 'The "best" jam'),
        (r"12\" record", r"12\" record"),
    ],
)
def test_quotes_are_read_as_the_whole_text_means_them(cell: str, read: str) -> None:
    assert quotes(f"item,title\nb1,{cell}\nb2,Bread\n") == [["item", "title"], ["b1", read], ["b2", "Bread"]]


def test_between_tabs_a_quote_can_be_a_letter() -> None:
    assert quotes('item\ttitle\nb1\t"Best" jam\n')[1] == ["b1", '"Best" jam']
    assert quotes('item\ttitle\nb1\t"Best, ""red"" jam"\n')[1] == ["b1", 'Best, "red" jam']


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('item,title\nb1,Jam\nb2,"The "best" jam"\nb3,Tea\n', 3),
        ('item,title\nb1,"two\nlines"\nb2,"never closed\nb3,Tea\n', 4),
        ('item,title\nb1,"The \\"best\\" jam"\nb2,"ends" here\n', 2),
    ],
)
def test_malformed_quotes_are_refused_with_their_line(text: str, line: int) -> None:
    with pytest.raises(QuoteError) as caught:
        quotes(text)
    assert caught.value.line == line


cells = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str]], separator: str) -> None:
    made = io.StringIO()
    csv.writer(made, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([("item_id", "title"), *rows])
    lines = made.getvalue().splitlines(keepends=True) if "\n" not in str(rows) else [made.getvalue()]
    found = with_quotes(layout_of(made.getvalue(), ITEMS), lambda: lines)
    assert [tuple(row) for row in found.rows(lines)][1:] == rows
