import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.tables.pasted import Entry, Pasted, read_list
from m2rec.errors import InputError

JUNE = 20258  # 2025-06-19, in days since 1970


def titles(pasted: Pasted) -> list[str]:
    return [entry.title for entry in pasted.entries]


@pytest.mark.parametrize(
    "dates",
    [
        ("6/19/25", "6/20/25", "6/21/25"),
        ("19.06.25", "20.06.25", "21.06.25"),
        ("2025/06/19", "2025/06/20", "2025/06/21"),
        ("1750291200000", "1750377600000", "1750464000000"),
        ("1750291200", "1750377600", "1750464000"),
        ("19 Jun 2025", "20 Jun 2025", "21 Jun 2025"),
        ("2025-06-19T08:00:00Z", "2025-06-20 09:00", "2025-06-21"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_dates_in_any_notation_decide_the_order(dates: tuple[str, ...], separator: str, newest_first: bool) -> None:
    rows = [f"{title}{separator}{date}" for title, date in zip(["Jam", "Tea", "Rye bread"], dates, strict=True)]
    text = "\n".join([f"Title{separator}Date", *(rows[::-1] if newest_first else rows)])
    found = read_list(text)
    assert found.entries == [Entry("Jam", "", JUNE), Entry("Tea", "", JUNE + 1), Entry("Rye bread", "", JUNE + 2)]
    assert ("The list was newest first and was turned round." in found.notes) == newest_first


def test_dates_that_are_not_understood_are_said_and_the_order_is_kept() -> None:
    found = read_list("Title,Date\nTea,2025-06-21\nJam,soon\nRye bread,2025-06-19\n")
    assert titles(found) == ["Tea", "Jam", "Rye bread"]
    assert found.notes[0] == ("1 of 3 dates were not understood, such as “soon”, so the order of the list was kept.")


def test_months_and_days_are_decided_by_the_order_of_the_list_or_not_used() -> None:
    found = read_list("Title,Date\nTea,2/3/25\nJam,1/4/25\nRye bread,1/5/25\n")  # only as day/month in order
    assert [entry.day for entry in found.entries] == [20149, 20179, 20209]
    unclear = read_list("Title,Date\nTea,2/3/25\nJam,1/4/25\nHoney,3/2/25\n")
    assert (titles(unclear), {entry.day for entry in unclear.entries}) == (["Tea", "Jam", "Honey"], {None})
    assert "can be day/month or month/day" in unclear.notes[0]


def test_entries_of_one_day_keep_their_order_and_turn_round_with_the_list() -> None:
    assert titles(read_list("Title,Date\nA,2025-06-19\nB,2025-06-19\nC,2025-06-20\n")) == ["A", "B", "C"]
    assert titles(read_list("Title,Date\nC,2025-06-20\nB,2025-06-19\nA,2025-06-19\n")) == ["A", "B", "C"]


def test_running_numbers_are_an_order_and_no_days() -> None:
    found = read_list("time;title\n3;C\n1;A\n2;B\n")
    assert found.entries == [Entry("A"), Entry("B"), Entry("C")]


def test_a_list_of_titles_and_dates_needs_no_header() -> None:
    assert read_list("Jam,2025-06-19\nTea,2025-06-20\n").entries == [Entry("Jam", "", JUNE), Entry("Tea", "", JUNE + 1)]
    assert titles(read_list("2025-06-19;Jam, red\n2025-06-20;Tea, green\n")) == ["Jam, red", "Tea, green"]
    assert titles(read_list("Tea, green\nTea, black\n")) == ["Tea, green", "Tea, black"]


def test_rows_without_a_title_are_counted() -> None:
    found = read_list("Title,Date\nTea,2025-06-19\n,2025-06-20\n")
    assert (titles(found), found.notes[0]) == (["Tea"], "1 row without a title left out.")


def test_of_several_people_the_one_with_the_most_rows_is_read_and_said() -> None:
    found = read_list(
        "user,title,date\nbob,Tea,2025-06-19\nanna,Jam,2025-06-20\nbob,Honey,2025-06-18\n,Rye,2025-06-17\n"
    )
    assert titles(found) == ["Honey", "Tea"]
    assert found.notes[0] == (
        "The column “user” names 2 people: only the rows of “bob” were taken, 2 of 4; nobody has more."
    )


@pytest.mark.parametrize("name", ["user", "CustomerID", "Profile Name", "user_id:token"])
def test_of_people_with_equally_many_rows_the_first_is_read(name: str) -> None:
    assert titles(read_list(f"{name},item,timestamp\nu1,Tea,1\nu0,Jam,0\nu1,Rye,2\nu0,Tea,3\n")) == ["Tea", "Rye"]


def test_one_persons_table_is_read_whole_however_the_name_is_written() -> None:
    found = read_list("user,title\nAm\u00e9lie,Tea\nAme\u0301lie ,Jam\n,Rye\n")
    assert (titles(found), found.notes) == (["Tea", "Jam", "Rye"], [])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("PK\x03\x04\x14\0", "a zip archive or an Excel workbook"),
        ("\x1f\ufffd\x08\0", "packed with gzip"),
        ("PAR1\x15\x04", "a Parquet file"),
        ("<!DOCTYPE html><html>", "a web page"),
        ("T\0e\0a\0", "NUL bytes"),
        ("\u200b\n\ufeff\n", "is empty"),
    ],
)
def test_what_is_no_text_is_named(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_list(text)


@given(st.text(st.characters(exclude_characters="\0"), max_size=80))
def test_no_text_is_an_error_but_those_that_are_named(text: str) -> None:
    try:
        fits = bool(read_list(text).entries)
    except InputError as error:
        fits = str(error).startswith("The list is")
    assert fits
