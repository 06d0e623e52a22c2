import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.tables.columns import INTERACTIONS
from m2rec.data.tables.interactions import read_tables
from m2rec.data.tables.read import read_table_file
from m2rec.errors import DataError

ITEMS = "item,title\na,Apple\nb,Bread\n"
LOG = "user,item,timestamp\nx,a,1\nx,b,2\n"


@pytest.fixture
def read(write):
    def from_text(log: str | bytes = LOG, items: str | bytes = ITEMS):
        return read_tables(write("log.csv", log), write("items.csv", items), "shop")

    return from_text


def history(dataset, user="x"):
    return dataset.interactions.loc[dataset.interactions["user"] == user, "item"].tolist()


def test_the_shortest_pair_of_tables(read):
    dataset = read()
    assert dataset.name == "shop"
    assert dataset.interactions.to_dict("list") == {
        "user": ["x", "x"],
        "item": ["a", "b"],
        "timestamp": [1, 2],
        "position": [0, 1],
    }
    assert dataset.items.to_dict("list") == {
        "item": ["a", "b"],
        "title": ["Apple", "Bread"],
        "text": ["Apple", "Bread"],
        "group": ["", ""],
    }


def test_optional_columns_are_kept_and_unknown_ones_passed_over(read):
    dataset = read(
        "user,item,timestamp,rating,shop\nx,a,1,4.5,north\nx,b,2,,south\n",
        'item,title,text,group,price\na,Apple,"red, sweet",fruit,1\nb,Bread,,bakery,2\n',
    )
    assert dataset.interactions["rating"].tolist()[0] == 4.5
    assert dataset.interactions["rating"].isna().tolist() == [False, True]
    assert "shop" not in dataset.interactions
    assert dataset.items["text"].tolist() == ["red, sweet", ""]
    assert dataset.items["group"].tolist() == ["fruit", "bakery"]


def test_ids_are_text_without_blanks_around_them(read):
    dataset = read("user,item,timestamp\n 007 , 1,1\n", "item,title\n1 ,One\n")
    assert dataset.interactions[["user", "item"]].to_numpy().tolist() == [["007", "1"]]


@pytest.mark.parametrize(
    "written", ["cafe\u0301", "caf\u00e9\u200b", "\u200ecaf\u00e9", "caf\u00e9\u00a0", "ca\u00adf\u00e9"], ids=ascii
)
def test_ids_that_look_alike_are_one_in_both_tables(read, written):
    log = f"user,item,timestamp\nJose\u0301,{written},1\nJos\u00e9\u200b,b,2\n"
    for items in ("item,title\ncaf\u00e9,Coffee\nb,Bread\n", "item,title\ncafe\u0301\u200d,Coffee\nb,Bread\n"):
        assert read(log, items).interactions[["user", "item"]].to_numpy().tolist() == [
            ["Jos\u00e9", "caf\u00e9"],
            ["Jos\u00e9", "b"],
        ]
    with pytest.raises(DataError, match="was already in line 2"):
        read(log, f"item,title\ncaf\u00e9,Coffee\n{written},Again\n")


def test_an_item_without_a_title_shows_its_id_and_has_no_text(read):
    items = read(items="item,title\na,\nb,Bread\n").items
    assert items["title"].tolist() == ["a", "Bread"]
    assert items["text"].tolist() == ["", "Bread"]


def test_time_decides_the_order_and_the_file_decides_ties(read):
    items = "item,title\n" + "".join(f"{name},\n" for name in "abcde")
    log = "user,item,timestamp\ny,e,9\nx,d,5\nx,a,2\nx,c,5\nx,b,2\ny,a,9\n"
    dataset = read(log, items)
    assert history(dataset) == ["a", "b", "d", "c"]
    assert dataset.interactions["user"].tolist() == ["y", "y", "x", "x", "x", "x"]


def test_position_decides_where_it_is_given_and_the_clock_may_be_blank(read):
    dataset = read("user,item,position,timestamp\nx,a,20,100\nx,b,3,\n")
    assert history(dataset) == ["b", "a"]
    assert dataset.interactions["timestamp"].tolist() == [-1, 100]
    assert dataset.interactions["position"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("978300019", 978300019),
        ("978300019.75", 978300019),
        ("1970-01-02", 86400),
        ("1970-01-01T01:00:00Z", 3600),
        ("1970-01-01 03:00:00+02:00", 3600),
    ],
)
def test_times_are_unix_seconds_or_iso_8601(read, written, seconds):
    assert read(f"user,item,timestamp\nx,a,{written}\n").interactions["timestamp"].tolist() == [seconds]


def test_fractions_of_a_second_count_for_the_order(read):
    assert history(read("user,item,timestamp\nx,a,1.9\nx,b,1.2\n")) == ["b", "a"]


def test_parquet_may_hold_numbers_and_real_times(tmp_path):
    log = pd.DataFrame(
        {
            "user": [1.0, 1.0],
            "item": [10, 20],
            "timestamp": pd.to_datetime(["1970-01-01T00:00:09", "1970-01-01T00:00:05"]),
        }
    )
    log.to_parquet(tmp_path / "log.parquet")
    pd.DataFrame({"item": [10, 20], "title": ["Apple", None]}).to_parquet(tmp_path / "items.parquet")
    dataset = read_tables(tmp_path / "log.parquet", tmp_path / "items.parquet", "shop")
    assert history(dataset, "1") == ["20", "10"]
    assert dataset.interactions["timestamp"].tolist() == [5, 9]
    assert dataset.items["title"].tolist() == ["Apple", "20"]


def test_csv_and_parquet_of_one_table_are_read_alike(read, tmp_path):
    from_csv = read("user,item,timestamp\nx,b,2024-01-02\nx,a,2024-01-01T12:00:00Z\n")
    for name in ("log", "items"):
        pd.read_csv(tmp_path / f"{name}.csv").to_parquet(tmp_path / f"{name}.parquet")
    from_parquet = read_tables(tmp_path / "log.parquet", tmp_path / "items.parquet", "shop")
    pd.testing.assert_frame_equal(from_csv.interactions, from_parquet.interactions)
    pd.testing.assert_frame_equal(from_csv.items, from_parquet.items)


def test_a_byte_order_mark_and_blank_lines_do_no_harm(read):
    dataset = read(("\ufeffuser,item,timestamp\n\nx,a,1\n,,\nx,b,2\n\n").replace("\n", "\r\n"))
    assert history(dataset) == ["a", "b"]


@pytest.mark.parametrize(
    ("log", "message"),
    [
        ("", "log.csv is empty; a header line and at least one row"),
        ("user,item,timestamp\n", "log.csv has no rows"),
        ("user,timestamp\nx,1\n", "log.csv has no column 'item' (found: user, timestamp)"),
        ("user,item,tine\nx,a,1\n", "no column 'timestamp' or 'position' (found: user, item, tine)"),
        ("usr,item,timestamp\nx,a,1\n", "no column 'user' (found: usr, item, timestamp)"),
        ("usr,item,timestamp\nx,a,1\n", "or add --columns user=usr."),
        ("usr,thing,tine\nx,a,b\n", "no column 'user', 'item', 'timestamp' or 'position' (found: usr, thing, tine)"),
        ("user,item,timestamp\nx,a,1\nx,z,2\n", "The item “z” in line 3 of {log} is not in {items}"),
        ("user,item,timestamp\nx,a,1\n  ,b,2\n", "The user is blank in line 3 of {log}"),
        ("user,item,timestamp\nx,a,1\nx\n", "The item is blank in line 3 of {log}"),
        ("user,item,timestamp\nx,a,1\n\nx,b,soon\n", "The timestamp “soon” in line 4 of {log} is no time"),
        ("user,item,timestamp\nx,a,2024-01-01\nx,b,2024-13-01\n", "The timestamp “2024-13-01” in line 3"),
        ("user,item,timestamp\nx,a,1\nx,b,\n", "The timestamp “” in line 3 of {log} is no time"),
        ("user,item,timestamp\nx,a,inf\n", "The timestamp “inf” in line 2 of {log} is no time"),
        ("user,item,timestamp\nx,a,03/04/2025\nx,b,05/06/2025\n", "can be day/month or month/day"),
        (
            "user,item,timestamp\nx,a,13/02/2025\nx,b,02/13/2025\nx,a,14/02/2025\n",
            "in line 3 of {log} is no time; the column is read as day/month/year, which --dates monthfirst",
        ),
        ("user,item,timestamp\nx,a,1\nx,b,2\nx,a,31.03.2025\n", "is no time; give Unix seconds or dates"),
        ("user,item,timestamp\nx,a,-5\n", "lies before 1970"),
        ("user,item,position\nx,a,first\n", "The position “first” in line 2 of {log} is not a number"),
        ("user,item,position\nx,a,\n", "The position “” in line 2 of {log} is not a number"),
        ("user,item,timestamp,rating\nx,a,1,good\n", "The rating “good” in line 2 of {log} is not a number"),
        ("user,item,timestamp\nx,a,1,9\n", "line 2 has 4 cells and the header 3; name every column"),
        ("user,item,timestamp\nx,a,1\nx,b,2,9\n", "is not a regular table: line 3 has 4 cells and the header 3"),
        (b"user,item,timestamp\nx,a,1\nJos\xe9,b,2\n", "Line 3 of {log} holds the byte 0xe9, which is not UTF-8"),
    ],
)
def test_a_bad_interactions_table_is_refused_in_one_sentence(read, tmp_path, log, message):
    expected = message.format(log=tmp_path / "log.csv", items=tmp_path / "items.csv")
    with pytest.raises(DataError, match=re.escape(expected)) as caught:
        read(log)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            "item,title\na,Apple\nb,Bread\n a,Again\n",
            "The item “a” in line 4 of {items} was already in line 2 of {items}",
        ),
        ('item,title\na,"two\nlines"\n,Bread\n', "The item is blank in line 4 of {items}"),
        (
            "item,tilte\na,Apple\n",
            "no column 'title' (found: item, tilte); rename one, or add --item-columns title=tilte.",
        ),
    ],
)
def test_a_bad_items_table_is_refused_in_one_sentence(read, tmp_path, items, message):
    with pytest.raises(DataError, match=re.escape(message.format(items=tmp_path / "items.csv"))):
        read(items=items)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.csv", None, "There is no file"),
        ("log.xlsx", b"PK\x03\x04", "is not a readable spreadsheet or zip archive"),
        ("log.parquet", b"PAR1 and no more", "is not a readable Parquet file"),
    ],
)
def test_a_file_that_is_no_table_is_refused(write, tmp_path, name, content, message):
    path = tmp_path / name if content is None else write(name, content)
    with pytest.raises(DataError, match=message):
        read_table_file(path, INTERACTIONS)


def test_a_row_of_a_parquet_file_is_counted_from_one(tmp_path, write):
    pd.DataFrame({"item": ["a", " "], "title": ["Apple", "Bread"]}).to_parquet(tmp_path / "items.parquet")
    with pytest.raises(DataError, match=r"The item is blank in row 2 of .*items\.parquet"):
        read_tables(write("log.csv", LOG), tmp_path / "items.parquet", "shop").ids("item")


cells = st.text(alphabet='ab,"\n é', max_size=4)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6), st.data())
def test_a_place_is_the_line_on_which_the_row_begins(tmp_path_factory, rows, data):
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    text = "user,item\n" + "\n".join(quoted) + "\n"
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_bytes(text.encode())
    try:
        table = read_table_file(path, INTERACTIONS)
    except DataError:
        assert not any(any(row) for row in rows)
        return
    row = data.draw(st.sampled_from(list(table.frame.index)))
    line = 2 + sum(1 + above.count("\n") for above in quoted[:row])
    assert table.place(row) == f"line {line} of {path}"
