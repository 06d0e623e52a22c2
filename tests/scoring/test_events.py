"""Tables of events: in any number of parts and batches, they are read as one table."""

import functools
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from m2rec.data.tables import parquet_batches
from m2rec.errors import DataError
from m2rec.scoring import dealing
from m2rec.scoring.histories import divide
from m2rec.scoring.run import Run, score
from tests.scoring.compare import USERS, answers, check_against_recommend


def in_batches(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let tables be read so many rows at a time."""
    tables = functools.partial(parquet_batches.tables, rows=rows)
    monkeypatch.setattr(parquet_batches, "tables", tables)
    monkeypatch.setattr("m2rec.scoring.events.tables", tables)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches(monkeypatch, 7)


def written(folder: Path, **columns: object) -> Path:
    pd.DataFrame(columns).to_parquet(folder / "events.parquet")
    return folder / "events.parquet"


def divided(path: Path, folder: Path, rows_per_part: int, **options: object) -> dict[str, list[str]]:
    """The histories of all parts. A user in two parts is an error."""
    folder.mkdir()
    count = divide(path, folder, rows_per_part, lambda _: None, **options)
    parts = [pq.read_table(folder / f"part-{number:05}.parquet") for number in range(count)]
    assert all(part.num_rows for part in parts)
    assert len(list(folder.iterdir())) == count
    rows = [row for part in parts for row in zip(*part.to_pydict().values(), strict=True)]
    assert len(rows) == len(dict(rows))
    return dict(rows)


def test_parts_that_get_no_user_are_left_out(world, tmp_path) -> None:
    path = written(tmp_path, user=["a", "b"] * 100, item=["i01", "i02"] * 100, timestamp=range(200))
    scored = score(Run(world, path, tmp_path / "out", rows_per_part=10))
    assert scored.users == 2
    assert scored.parts <= 2
    check_against_recommend(answers(tmp_path / "out"), world, {"a": ["i01"] * 100, "b": ["i02"] * 100})


def test_a_table_without_rows_is_refused(world, tmp_path) -> None:
    with pytest.raises(DataError, match=r"events\.parquet has no rows"):
        score(Run(world, written(tmp_path, user=[None, ""], item=[None, ""]), tmp_path / "out", rows_per_part=1))


def test_ids_that_look_the_same_are_one_user_in_any_number_of_parts(tmp_path, small_batches) -> None:
    users = [f"u{number}{blank}" for number in range(20) for blank in ("", " ", "\u200b")]
    path = written(tmp_path, user=users, item=["i01", "i02", "i03"] * 20)
    assert divided(path, tmp_path / "parts", 5) == {f"u{number}": ["i01", "i02", "i03"] for number in range(20)}


def test_whole_numbers_are_one_id_with_decimals_and_without_in_any_number_of_parts(tmp_path, small_batches) -> None:
    numbers = range(10, 30)
    users = [text for number in numbers for text in (f"{number}.0", f"{number}")]
    items = [7.0, None] * 20
    path = written(tmp_path, user=users, item=pd.Series(items).ffill())
    assert divided(path, tmp_path / "parts", 5) == {f"{number}": ["7", "7"] for number in numbers}
    path = written(tmp_path, user=[*users, "Ann"], item=[*[7.0] * 40, 0.5])
    found = divided(path, tmp_path / "others", 5)
    assert found["10.0"] == found["10"] == ["7.0"]  # as one user is no number, and one item no whole one
    assert found["Ann"] == ["0.5"]


@pytest.mark.parametrize(
    ("decisive", "latest"), [("25/12/2024", "03/12/2025"), ("12/25/2024", "12/03/2025")], ids=["days", "months"]
)
def test_one_date_says_how_all_are_read_in_any_number_of_parts(tmp_path, small_batches, decisive, latest) -> None:
    dates = [latest, "05/05/2025"] * 20
    users = [f"u{number}" for number in range(20) for _ in range(2)]
    path = written(tmp_path, user=[*users, "z"], item=["late", "early"] * 20 + ["i"], timestamp=[*dates, decisive])
    found = divided(path, tmp_path / "parts", 5)
    assert found == {f"u{number}": ["early", "late"] for number in range(20)} | {"z": ["i"]}


def test_most_numbers_say_the_unit_of_all_in_any_number_of_parts(tmp_path, small_batches) -> None:
    early = [2_000_000_000 + at for at in range(14)]  # as seconds in 2033, as milliseconds in 1970
    path = written(
        tmp_path,
        user=["a"] * 34,
        item=[f"i{at}" for at in range(34)],
        at=[*early, *range(1_700_000_000_000, 1_700_000_000_020)],
    )
    assert divided(path, tmp_path / "parts", 10, columns={"timestamp": "at"}) == {"a": [f"i{at}" for at in range(34)]}


def test_dates_that_nothing_decides_need_the_option(tmp_path, monkeypatch) -> None:
    path = written(tmp_path, user=["a"] * 2, item=["i01", "i02"], date=["03/04/2025", "02/05/2025"])
    message = r"events\.parquet, such as “03/04/2025”, .*add --dates dayfirst or --dates monthfirst\.$"
    in_batches(monkeypatch, 1)
    with pytest.raises(DataError, match=message):
        divided(path, tmp_path / "none", 1)
    assert divided(path, tmp_path / "days", 1, dates="dayfirst") == {"a": ["i01", "i02"]}
    assert divided(path, tmp_path / "months", 1, dates="monthfirst") == {"a": ["i02", "i01"]}


def test_errors_name_the_rows_of_the_file_in_any_batch(tmp_path, small_batches) -> None:
    frame = pd.DataFrame(
        {"user": [f"u{at}" for at in range(40)], "item": "i01", "timestamp": [f"{at}" for at in range(40)]}
    )
    frame.loc[[17, 19], "timestamp"] = "soon"
    frame.loc[18, "user"] = None
    frame.loc[3] = None  # a blank row counts too
    frame.to_parquet(tmp_path / "events.parquet")
    with pytest.raises(DataError) as error:
        divided(tmp_path / "events.parquet", tmp_path / "parts", 5)
    path = tmp_path / "events.parquet"
    blank, no_time, unchecked = error.value.problems
    assert blank == f"The user is blank in row 19 of {path}; every row needs one."
    assert no_time.startswith(f"The timestamp “soon” in row 18 of {path} is no time (2 rows: rows 18, 20); ")
    assert unchecked == "Rows after row 21 were not checked."


def test_columns_with_unusual_names_can_be_named(tmp_path) -> None:
    path = written(tmp_path, who=["a", "a"], what=["i01", "i02"], at=[2, 1])
    with pytest.raises(DataError, match="name the columns with --columns"):
        divided(path, tmp_path / "none", 1)
    chosen = {"user": "who", "item": "what", "timestamp": "at"}
    assert divided(path, tmp_path / "parts", 1, columns=chosen) == {"a": ["i02", "i01"]}
    with pytest.raises(DataError, match="has no column 'whom' to be the user"):
        divided(path, tmp_path / "wrong", 1, columns={"user": "whom"})
    path = written(tmp_path, user=["a", "b"], basket=[["i01", "i02"], []])
    assert divided(path, tmp_path / "lists", 1, columns={"item": "basket"}) == {"a": ["i01", "i02"], "b": []}


@pytest.mark.parametrize(
    "columns",
    [
        {"user": [["a"]], "item": ["i01"]},
        {"user": ["a"], "item": [["i01"]]},
        {"user": ["a"], "item": [{"id": "i01"}]},
        {"user": ["a"], "item": ["i01"], "timestamp": [[1]]},
        {"user": [["a"]], "items": [["i01"]]},
        {"user": [{"id": "a"}], "items": [["i01"]]},
        {"user": ["a"], "items": [[["i01"]]]},
        {"user": ["a"], "items": [[{"id": "i01"}]]},
    ],
)
def test_lists_and_structures_in_place_of_ids_are_refused(world, tmp_path, columns) -> None:
    pq.write_table(pa.table(columns), tmp_path / "nested.parquet")
    with pytest.raises(DataError, match=r"of .*nested\.parquet should be single values"):
        score(Run(world, tmp_path / "nested.parquet", tmp_path / "out"))


def test_a_column_that_is_not_used_may_hold_anything(tmp_path) -> None:
    path = written(tmp_path, user=["a"], item=["i01"], position=[1], timestamp=[[1]], rating=[{"of": 5}])
    assert divided(path, tmp_path / "parts", 1) == {"a": ["i01"]}


def test_more_parts_than_files_may_be_open(events, histories, tmp_path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        assert divided(events, tmp_path / "parts", 1) == histories
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("count", [1, 3, 4, 7, 9, 25, 100])
def test_rows_are_distributed_in_their_order_in_several_rounds(tmp_path, monkeypatch, count) -> None:
    monkeypatch.setattr(dealing, "MOST_OPEN", 3)
    monkeypatch.setattr(dealing, "BATCH", 20)
    parts = np.random.default_rng(4).integers(0, count, 150)
    rows = pa.table({"row": range(150), dealing.PART: parts})
    pieces = [rows.slice(start, 40) for start in range(0, 150, 40)]
    found = [table.to_pydict() for table in dealing.deal(iter(pieces), range(count), tmp_path)]
    assert [one["row"] for one in found] == [np.flatnonzero(parts == part).tolist() for part in np.unique(parts)]
    assert not list(tmp_path.iterdir())


def test_the_answers_do_not_depend_on_the_number_of_parts(world, events, tmp_path) -> None:
    one = score(Run(world, events, tmp_path / "one"))
    many = score(Run(world, events, tmp_path / "many", rows_per_part=10))
    assert (one.users, one.parts, many.users) == (USERS, 1, USERS)
    pd.testing.assert_frame_equal(answers(tmp_path / "one"), answers(tmp_path / "many"), rtol=1e-5)
