"""The learning curve shows what its table holds, as text and as a picture."""

import json
import re
from pathlib import Path

import pytest

from m2rec.benchmark.report.learning_curve import PICTURE, PLAN, curve, draw, read_points, write_picture
from m2rec.errors import DataError
from tests.places import ROOT


def row(kind: str, customers: int, value: float, epochs: int) -> dict[str, object]:
    return {
        "model": f"{kind}-{customers}",
        "kind": kind,
        "train_users": customers,
        "training": {"epochs": epochs},
        "unmasked": {"HR@10": value},
        "unmasked_interval": {"HR@10": [value - 0.02, value + 0.02]},
    }


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    """Two models at two sizes, one of them also at a third."""
    folder = tmp_path / "assets" / "benchmarks"
    folder.mkdir(parents=True)
    rows = [
        row("sasrec", 2000, 0.31, 4),
        row("m2rec", 2000, 0.62, 4),
        row("m2rec", 500, 0.55, 16),
        row("sasrec", 500, 0.12, 16),
        row("m2rec", 8000, 0.66, 1),
    ]
    (folder / f"{PLAN}.json").write_text(json.dumps({"rows": rows}))
    return folder


def test_each_size_has_a_row_and_each_model_a_column(benchmarks: Path) -> None:
    lines = curve(benchmarks)
    assert "| customers | m2rec | sasrec |" in lines
    assert "| 500 | 0.5500 (0.530–0.570) [8,000] | 0.1200 (0.100–0.140) [8,000] |" in lines
    assert "| 8,000 | 0.6600 (0.640–0.680) [8,000] | – |" in lines


def test_the_picture_rises_with_the_figures_and_marks_every_run(benchmarks: Path) -> None:
    svg = draw(read_points(benchmarks))
    heights = [float(y) for y in re.findall(r'class="m2rec" cx="[\d.]+" cy="([\d.]+)"', svg)]
    assert len(heights) == 3
    assert heights == sorted(heights, reverse=True)  # y grows downwards
    assert svg.count("<circle") == 5
    assert write_picture(benchmarks) == benchmarks.parent / PICTURE
    assert (benchmarks.parent / PICTURE).read_text(encoding="utf-8") == svg


def test_without_runs_there_are_no_lines_and_damage_is_refused(benchmarks: Path, tmp_path: Path) -> None:
    assert curve(tmp_path) == []
    assert write_picture(tmp_path) is None
    (benchmarks / f"{PLAN}.json").write_text('{"rows": [{}]}')
    with pytest.raises(DataError, match="not a readable benchmark table"):
        curve(benchmarks)


def test_the_committed_picture_shows_the_committed_figures() -> None:
    points = read_points(ROOT / "assets" / "benchmarks")
    path = ROOT / "assets" / PICTURE
    assert path.is_file() == bool(points)
    if points:
        assert path.read_text(encoding="utf-8") == draw(points)
