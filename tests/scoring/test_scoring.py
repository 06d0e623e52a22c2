"""`score`: every user of a table gets the answer of `recommend`, by one process, several or Ray, even after a kill."""

import json
import signal
import subprocess
import sys
import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from m2rec.errors import CheckpointError, DataError, InputError
from m2rec.paths import PACKAGE
from m2rec.scoring.run import HISTORIES, MANIFEST, Run, score
from m2rec.scoring.scorer import SCHEMA, Scorer
from tests.scoring.compare import USERS, answers, check_against_recommend


@pytest.mark.parametrize("options", [{"k": 5}, {"k": 50, "exclude_seen": True}], ids=["five", "all but seen"])
@pytest.mark.parametrize("kind", ["events", "lists"])
def test_every_user_gets_the_answer_of_recommend(world, histories, request, tmp_path, kind, options) -> None:
    scored = score(Run(world, request.getfixturevalue(kind), tmp_path / "out", **options, rows_per_part=100))
    assert (scored.users, scored.unknown, scored.parts_before) == (USERS, 0, 0)
    assert scored.parts == (1 if kind == "lists" else -(-sum(map(len, histories.values())) // 100))
    check_against_recommend(answers(tmp_path / "out"), world, histories, **options)
    assert not (tmp_path / "out" / HISTORIES).exists()


def test_the_order_of_the_file_counts_where_nothing_else_does_and_any_table_will_do(world, tmp_path) -> None:
    (tmp_path / "log.csv").write_text("userId;movieId\nb;i01\na;i00\nb;i02\na;nothing\na;i03\n")
    scored = score(Run(world, tmp_path / "log.csv", tmp_path / "out", k=3))
    assert (scored.users, scored.unknown) == (2, 1)
    check_against_recommend(answers(tmp_path / "out"), world, {"a": ["i00", "i03"], "b": ["i01", "i02"]}, k=3)


def test_a_user_of_whom_nothing_is_known_gets_what_is_popular(world, tmp_path) -> None:
    table = pa.table({"user": ["new", "null", "odd"], "items": pa.array([[], None, ["nothing", None]])})
    pq.write_table(table, tmp_path / "lists.parquet")
    scored = score(Run(world, tmp_path / "lists.parquet", tmp_path / "out", k=4))
    assert (scored.users, scored.unknown) == (3, 2)
    check_against_recommend(answers(tmp_path / "out"), world, {"new": [], "null": [], "odd": []}, k=4)


def test_numbers_as_ids_may_be_whole_or_decimal(world, tmp_path) -> None:
    for number, values in enumerate((pa.array([[7]]), pa.array([[7.0]]), pa.array([["7"]]))):
        pq.write_table(pa.table({"user": [1], "items": values}), tmp_path / "lists.parquet")
        score(Run(world, tmp_path / "lists.parquet", tmp_path / f"out{number}"))
        check_against_recommend(answers(tmp_path / f"out{number}"), world, {"1": ["7"]})


def test_several_processes_answer_as_one(world, events, tmp_path) -> None:
    one = score(Run(world, events, tmp_path / "one", rows_per_part=100), workers=1)
    two = score(Run(world, events, tmp_path / "two", rows_per_part=100), workers=2)
    assert (one.users, one.rows) == (two.users, two.rows)
    pd.testing.assert_frame_equal(answers(tmp_path / "one"), answers(tmp_path / "two"), rtol=1e-5)


def test_a_killed_run_goes_on_with_the_parts_that_are_missing(world, events, histories, tmp_path) -> None:
    run = Run(world, events, tmp_path / "out", rows_per_part=60)
    code = (
        "import sys, time; from pathlib import Path; from m2rec.scoring import run as r\n"
        "from m2rec.scoring.scorer import Scorer; call = Scorer.__call__\n"
        "Scorer.__call__ = lambda self, batch: (time.sleep(0.5), call(self, batch))[1]\n"
        "r.score(r.Run(*map(Path, sys.argv[1:]), rows_per_part=60), workers=1)"
    )
    command = [sys.executable, "-c", code, str(world), str(events), str(tmp_path / "out")]
    process = subprocess.Popen(command, cwd=PACKAGE.parent)
    try:
        while not (before := len(list((tmp_path / "out").glob("part-*")))) and process.poll() is None:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert before
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    scored = score(run)
    assert scored.parts_before == len(kept) < scored.parts
    assert kept == {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in kept}
    check_against_recommend(answers(tmp_path / "out"), world, histories)
    assert score(run).parts_before == scored.parts  # once more: there is nothing left to do


def test_a_folder_with_another_run_or_with_anything_else_is_left_alone(world, lists, events, tmp_path) -> None:
    score(Run(world, lists, tmp_path / "out", k=3))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for other, what in (
        (Run(world, lists, tmp_path / "out", k=4), "k"),
        (Run(world, lists, tmp_path / "out", k=3, exclude_seen=True), "exclude_seen"),
        (Run(world, events, tmp_path / "out", k=3), "histories"),
    ):
        with pytest.raises(InputError, match=rf"holds another run \(its {what} differ\)"):
            score(other)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="is not empty and holds no run"):
        score(Run(world, lists, tmp_path / "full"))


def test_a_table_without_histories_and_a_world_that_is_none_are_refused(world, tmp_path) -> None:
    pd.DataFrame({"a": [1], "b": [2]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"no columns for user and item \(found: a, b\)"):
        score(Run(world, tmp_path / "other.parquet", tmp_path / "out"))
    (tmp_path / "books.csv").write_text("item,title\ni01,Oat milk\n")
    with pytest.raises(DataError, match=r"no columns for user and item \(found: item, title\)"):
        score(Run(world, tmp_path / "books.csv", tmp_path / "out3"))
    pq.write_table(pa.table({"user": ["a"], "items": [[1.5]]}), tmp_path / "halves.parquet")
    with pytest.raises(DataError, match="no whole numbers"):
        score(Run(world, tmp_path / "halves.parquet", tmp_path / "out4"))
    with pytest.raises(CheckpointError):
        score(Run(tmp_path / "nowhere", tmp_path / "other.parquet", tmp_path / "out2"))


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_damaged_manifest_is_named(world, lists, tmp_path, content) -> None:
    score(Run(world, lists, tmp_path / "out"))
    (tmp_path / "out" / MANIFEST).write_text(content)
    with pytest.raises(InputError, match="is damaged"):
        score(Run(world, lists, tmp_path / "out"))


def test_an_empty_batch_has_an_empty_answer(world) -> None:
    empty = pa.table({"user": pa.array([], pa.string()), "items": pa.array([], pa.list_(pa.string()))})
    assert Scorer(world)(empty).equals(SCHEMA.empty_table())


def test_the_manifest_says_what_was_run(world, lists, tmp_path) -> None:
    score(Run(world, lists, tmp_path / "out"))
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert (manifest["world"], manifest["k"], manifest["parts"]) == ("tiny-shop", 10, 1)


def test_a_table_of_lists_is_checked_as_one_of_events_is(world, tmp_path) -> None:
    kinds = pa.schema([("user", pa.string()), ("items", pa.list_(pa.string()))])
    for rows, wrong in (
        ([{"user": "a", "items": ["i01"]}, {"user": None, "items": ["i02"]}], "blank in row 2"),
        ([], "has no rows"),
    ):
        pq.write_table(pa.Table.from_pylist(rows, kinds), tmp_path / "lists.parquet")
        with pytest.raises(DataError, match=wrong):
            score(Run(world, tmp_path / "lists.parquet", tmp_path / "refused"))
        assert not (tmp_path / "refused").exists()
    fixed = pa.array([["i01", "i02"]], pa.list_(pa.string(), 2))
    pq.write_table(pa.table({"user": ["a\u200b "], "items": fixed}), tmp_path / "lists.parquet")
    score(Run(world, tmp_path / "lists.parquet", tmp_path / "out"))
    check_against_recommend(answers(tmp_path / "out"), world, {"a": ["i01", "i02"]})


def test_a_batch_without_any_history_is_answered_and_one_without_the_columns_refused(world) -> None:
    scorer = Scorer(world, k=3)
    assert scorer(pa.table({"user": ["a", "b"], "items": [None, None]})).num_rows == 6
    for batch in (pa.table({"user": ["a"], "item": ["i01"]}), pd.DataFrame({"user": ["a"]})):
        with pytest.raises(InputError, match="the columns user and items, one row a user; this one has no"):
            scorer(batch)
