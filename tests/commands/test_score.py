import errno
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from m2rec.commands.app import with_default_address


@pytest.fixture
def lists(tmp_path):
    pq.write_table(pa.table({"user": ["a", "b"], "items": [["g0", "g1"], ["Tea", "g9", "x"]]}), tmp_path / "h.parquet")
    return tmp_path / "h.parquet"


def test_a_table_is_scored_by_a_command(run, shop, lists, tmp_path):
    result = run("score", shop.checkpoint, "--histories", lists, "--out", tmp_path / "out", "-k", 3, "--json", "-")
    assert result.code == 0
    assert {name: result.json[name] for name in ("users", "rows", "parts", "unknown")} == {
        "users": 2,
        "rows": 6,
        "parts": 1,
        "unknown": 1,
    }
    assert "1 items of histories are not in" in result.err
    assert pq.read_table(tmp_path / "out").num_rows == 6
    again = run("score", shop.checkpoint, "--histories", lists, "--out", tmp_path / "out", "-k", 4)
    assert (again.code, "holds another run (its k differ)" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--histories", "no.parquet", "--out", "o"], "There is no file no.parquet"), (["--out", "o"], "--histories")],
)
def test_bad_requests_are_one_line(run, shop, arguments, message):
    result = run("score", shop.checkpoint, *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_missing_ray_is_named(run, shop, lists, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run("score", shop.checkpoint, "--histories", lists, "--out", tmp_path / "out", "--ray")
    assert result.code == 2
    assert "--ray needs the package ray; install it with pip install -r requirements-scale.txt" in result.err


def test_ray_takes_an_address_or_none():
    assert with_default_address(["score", "w", "--ray"]) == ["score", "w", "--ray", "local"]
    assert with_default_address(["--ray", "--k", "3"]) == ["--ray", "local", "--k", "3"]
    assert with_default_address(["--ray", "auto", "--k", "3"]) == ["--ray", "auto", "--k", "3"]


def test_unusual_columns_and_dates_are_options(run, shop, tmp_path):
    table = {"who": ["a", "a"], "what": ["g0", "g1"], "day": ["03/04/2025", "02/05/2025"]}
    pq.write_table(pa.table(table), tmp_path / "log.parquet")
    command = ("score", shop.checkpoint, "--histories", tmp_path / "log.parquet", "--out", tmp_path / "out")
    result = run(*command)
    assert (result.code, "name the columns with --columns" in result.err) == (2, True)
    result = run(*command, "--columns", "user=who,item=what")
    assert (result.code, "add --dates dayfirst or --dates monthfirst" in result.err) == (2, True)
    result = run(*command, "--columns", "user=who,item=what", "--dates", "dayfirst", "--json", "-")
    assert (result.code, result.json["users"]) == (0, 1)


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "give --out a folder that can be written")]
)
def test_what_cannot_be_written_is_said_with_what_helps(run, shop, lists, tmp_path, monkeypatch, number, advice):
    def failing(*_arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("m2rec.scoring.run.divide", failing)
    result = run("score", shop.checkpoint, "--histories", lists, "--out", tmp_path / "out")
    assert result.code == 2
    assert f"cannot be written ({os.strerror(number)}); {advice}" in result.err


def test_a_file_in_place_of_the_folder_is_refused(run, shop, lists):
    result = run("score", shop.checkpoint, "--histories", lists, "--out", lists)
    assert result.code == 2
    assert "cannot be written" in result.err
    assert "free some space" not in result.err
