"""`score` once more into a folder: after a mistake, beside another run, and where files are missing or damaged."""

import json
import os
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from m2rec.errors import DataError, InputError
from m2rec.scoring import run as runs
from m2rec.scoring.lock import LOCK, locked
from m2rec.scoring.run import HISTORIES, MANIFEST, Run, score
from m2rec.scoring.scorer import Scorer
from tests.scoring.compare import answers


def overwritten_inside(path: Path) -> None:
    """Damage the data of a Parquet file, and not its footer."""
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)


def stop_at_part(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    answer = Run.answer

    def stopping(run, part, *rest):
        if part == number:
            raise KeyboardInterrupt
        return answer(run, part, *rest)

    monkeypatch.setattr(Run, "answer", stopping)


def test_a_corrected_table_is_scored_in_the_same_folder(world, tmp_path) -> None:
    table = pd.DataFrame({"user": ["a", "b"], "item": ["i01", "i02"], "timestamp": ["2024-05-31", "soon"]})
    table.to_parquet(tmp_path / "events.parquet")
    run = Run(world, tmp_path / "events.parquet", tmp_path / "out")
    with pytest.raises(DataError, match="is no time"):
        score(run)
    assert not run.out.exists()
    table.assign(timestamp="2024-05-31").to_parquet(tmp_path / "events.parquet")
    assert score(run).users == 2


def test_a_run_that_was_killed_while_it_divided_binds_nobody(world, lists, events, tmp_path) -> None:
    run = Run(world, lists, tmp_path / "out")
    run.out.mkdir()
    (run.out / MANIFEST).write_text(json.dumps(run.fingerprint()))
    (run.out / LOCK).touch()
    (run.out / ".histories.saving-abcdefgh").mkdir()
    assert score(Run(world, events, run.out, k=3)).parts_before == 0


def test_a_folder_takes_one_run_at_a_time(world, lists, tmp_path) -> None:
    run = Run(world, lists, tmp_path / "out")
    with run.claimed():
        before = sorted(run.out.rglob("*"))
        with pytest.raises(InputError, match=r"Another run of score is writing into .*out; wait until it ends"):
            score(run)
        assert sorted(run.out.rglob("*")) == before
    assert score(run).users == 60
    assert LOCK not in os.listdir(run.out)


def test_a_lock_that_was_deleted_before_it_was_taken_counts_for_nothing(tmp_path, monkeypatch) -> None:
    from m2rec.scoring import lock

    taken, kept = [], lock._lock

    def deleted_first(handle: int) -> None:
        if not taken:
            (tmp_path / LOCK).unlink()
        taken.append(handle)
        kept(handle)

    monkeypatch.setattr(lock, "_lock", deleted_first)
    with locked(tmp_path):
        assert (tmp_path / LOCK).exists()
        with pytest.raises(InputError), locked(tmp_path):
            pass
    assert len(taken) == 3


def test_an_answered_part_that_was_deleted_is_answered_again(world, events, tmp_path) -> None:
    run = Run(world, events, tmp_path / "out", rows_per_part=100)
    parts = score(run).parts
    before = answers(run.out)
    (run.out / "part-00001.parquet").unlink()
    assert score(run).parts_before == parts - 1
    pd.testing.assert_frame_equal(answers(run.out), before)


def test_histories_that_are_missing_are_divided_again(world, events, tmp_path, monkeypatch) -> None:
    run = Run(world, events, tmp_path / "out", rows_per_part=100)
    with monkeypatch.context() as patch:
        stop_at_part(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            score(run, workers=1)
    for path in (run.out / HISTORIES).iterdir():
        path.unlink()
    assert score(run).parts_before == 2
    assert not (run.out / HISTORIES).exists()


def test_a_table_that_gives_other_parts_than_before_is_refused(world, events, tmp_path, monkeypatch) -> None:
    run = Run(world, events, tmp_path / "out", rows_per_part=100)
    score(run)
    (run.out / "part-00000.parquet").unlink()
    monkeypatch.setattr(runs, "divide", lambda *_: 1)
    with pytest.raises(InputError, match=r"events\.parquet no longer gives \d+ parts"):
        score(run)


def test_a_part_of_the_histories_that_cannot_be_read_is_named_with_what_helps(
    world, events, tmp_path, monkeypatch
) -> None:
    run = Run(world, events, tmp_path / "out", rows_per_part=100)
    with monkeypatch.context() as patch:
        stop_at_part(patch, 0)
        with pytest.raises(KeyboardInterrupt):
            score(run, workers=1)
    overwritten_inside(run.out / HISTORIES / "part-00000.parquet")
    with pytest.raises(DataError, match=r"part-00000\.parquet cannot be read .*delete the folder \.histories"):
        score(run)
    (run.out / HISTORIES / "part-00000.parquet").write_text("PAR1")
    with pytest.raises(DataError, match=r"part-00000\.parquet is not a readable .*delete the folder \.histories"):
        score(run)


def test_a_table_that_cannot_be_read_is_named(world, histories, tmp_path) -> None:
    users = [f"user {at}" for at in range(2000)]
    for columns in ({"user": users, "item": users}, {"user": users, "items": [[user] for user in users]}):
        pd.DataFrame(columns).to_parquet(tmp_path / "table.parquet")
        overwritten_inside(tmp_path / "table.parquet")
        with pytest.raises(DataError, match=r"table\.parquet cannot be read"):
            score(Run(world, tmp_path / "table.parquet", tmp_path / "out"))


def test_answers_that_cannot_be_read_are_named(world, lists, tmp_path) -> None:
    run = Run(world, lists, tmp_path / "out")
    score(run)
    (run.out / "part-00000.parquet").write_text("PAR1")
    with pytest.raises(DataError, match=r"part-00000\.parquet is not a readable .*delete it and run the command again"):
        score(run)
    (run.out / "part-00000.parquet").unlink()
    assert score(run).users == pq.read_metadata(lists).num_rows


def test_other_columns_or_dates_are_another_run(world, events, tmp_path) -> None:
    score(Run(world, events, tmp_path / "out", columns={}))
    for other, what in (({"dates": "dayfirst"}, "dates"), ({"columns": {"item": "item_id"}}, "columns")):
        with pytest.raises(InputError, match=rf"holds another run \(its {what} differ\)"):
            score(Run(world, events, tmp_path / "out", **other))
    assert Scorer(world).unknown == 0
