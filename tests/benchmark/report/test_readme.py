"""README and RESULTS have the recorded figures, their paths exist, and their commands are the tested ones."""

import re
from pathlib import Path

import pytest

from m2rec.benchmark.report.readme import write_results
from m2rec.errors import DataError
from tests.places import CHECKPOINTS, ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_results_are_the_recorded_ones(tmp_path: Path) -> None:
    for name in ("README.md", "RESULTS.md"):
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    write_results(tmp_path / "README.md", tmp_path / "RESULTS.md", CHECKPOINTS, ROOT / "assets" / "benchmarks")
    assert "| m2rec | left in |" in (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    for name in ("README.md", "RESULTS.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8")


def test_a_readme_without_marks_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing here")
    with pytest.raises(DataError, match="once each"):
        write_results(tmp_path / "README.md", tmp_path / "RESULTS.md", CHECKPOINTS, ROOT / "assets" / "benchmarks")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_its_tree_names_existing_paths() -> None:
    tree = re.search(r"```\n(app\.py .*?)```", TEXT, re.S)
    assert tree
    places = [line.split()[0] for line in tree[1].splitlines() if line.strip()]
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_two_commands_are_those_of_the_contract() -> None:
    assert "pip install -r requirements.txt && python app.py" in TEXT
    assert "pip install -r requirements-dev.txt && pytest" in TEXT
