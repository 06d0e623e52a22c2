import json

import pytest

from m2rec.commands.output import show, table
from m2rec.errors import InputError

PAYLOAD = {"HR@10": 0.25, "title": "Crème brûlée"}


def shown():
    rows = table("Figures", "metric", "value")
    rows.add_row("HR@10", "0.25")
    return rows


def test_without_json_the_table_is_printed(capsys):
    show(PAYLOAD, None, shown(), "A closing line.")
    out = capsys.readouterr().out
    assert "HR@10" in out
    assert "A closing line." in out


def test_a_dash_prints_json_and_nothing_else(capsys):
    show(PAYLOAD, "-", shown())
    assert json.loads(capsys.readouterr().out) == PAYLOAD


def test_a_file_gets_the_json_and_the_table_is_still_printed(capsys, tmp_path):
    show(PAYLOAD, str(tmp_path / "figures.json"), shown())
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")) == PAYLOAD
    assert "HR@10" in capsys.readouterr().out


def test_non_finite_numbers_are_a_bug_and_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        show({"value": float("nan")}, str(tmp_path / "figures.json"), shown())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "figures.json"
    file.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        show(PAYLOAD, str(file), shown())
    assert file.read_text() == "old"


@pytest.mark.parametrize("place", ["", "missing/figures.json"])
def test_an_impossible_file_is_refused_before_the_work(run, monkeypatch, tmp_path, place):
    def work(*_: object) -> None:
        raise AssertionError("the work was begun")

    monkeypatch.setattr("m2rec.data.sources.download.download_data_set", work)
    result = run("data", "download", "ml-1m", "--json", tmp_path / place)
    assert result.code == 2
    assert "is not a file in a folder that exists" in result.err


def test_a_folder_that_takes_no_file_is_refused_before_the_work(run, monkeypatch, tmp_path):
    def work(*_: object) -> None:
        raise AssertionError("the work was begun")

    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("m2rec.data.sources.download.download_data_set", work)
    monkeypatch.setattr("m2rec.atomic.tempfile.TemporaryFile", refused)
    result = run("data", "download", "ml-1m", "--json", tmp_path / "figures.json")
    assert result.code == 2
    assert "figures.json cannot be written (Permission denied); see python -m m2rec data download --help." in result.err


def test_numbers_are_right_aligned():
    columns = table("Figures", "metric", "kind", "value", text=2).columns
    assert [column.justify for column in columns] == ["left", "left", "right"]
