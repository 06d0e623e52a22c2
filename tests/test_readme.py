"""The README has the recorded figures, its paths exist, and its commands are the tested ones."""

import re
from pathlib import Path

from m2rec.benchmark.report.readme import END, START, results, write_results
from tests.places import CHECKPOINTS, ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_results_are_the_recorded_ones() -> None:
    shown = TEXT.split(START)[1].split(END)[0].strip()
    assert shown
    assert shown == results(CHECKPOINTS, ROOT / "assets" / "benchmarks").strip()


def test_writing_the_results_again_changes_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(TEXT, encoding="utf-8")
    write_results(copy, CHECKPOINTS, ROOT / "assets" / "benchmarks")
    assert copy.read_text(encoding="utf-8") == TEXT


def test_its_tree_names_real_places() -> None:
    tree = re.search(r"```\n(app\.py .*?)```", TEXT, re.S)
    assert tree
    places = [line.split()[0] for line in tree[1].splitlines() if line.strip()]
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_two_commands_are_those_of_the_contract() -> None:
    assert "pip install -r requirements.txt && python app.py" in TEXT
    assert "pip install -r requirements-dev.txt && pytest" in TEXT
