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
