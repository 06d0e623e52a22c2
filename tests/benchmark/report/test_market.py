"""The tables on the market's test show what the reports hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from m2rec.benchmark.report.market import market_tests
from m2rec.errors import DataError
from m2rec.evaluation.market_report import FOLDER
from m2rec.evaluation.stress_table import FILE
from tests.places import ROOT

BENCHMARKS = ROOT / "assets" / "benchmarks"


def grades(value: float, **said: Any) -> dict[str, Any]:
    group = {
        "targets": 100,
        "figures": {"HR@10": {"value": value, "low": value - 0.1, "high": value + 0.1}, "NDCG@10": {"value": 0.2}},
        "oracle": {"HR@10": 0.8, "NDCG@10": 0.5},
        "share_of_ceiling": value / 0.8,
    }
    return {"groups": dict.fromkeys(("all", "chain", "taste", "period 3"), group)} | said


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    """Our sasrec, that of another library, and a stress table of one row."""
    peer = {
        "compared_with": "sasrec",
        "parameters": 1234,
        "epochs": 4,
        "best_epoch": 3,
        "hardware": "a CPU",
        "date": "2026-01-01",
        "command": "python peer.py",
        "recommended": {"targets": 200, "HR@10": 0.411, "HR@10 of the lists": 0.413},
    }
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name, value, about in (("sasrec", 0.5, {}), ("SASRec of a peer", 0.4, peer)):
        said = {"name": name, "about": about, "date": "2026-01-01", "command": "grade"}
        (folder / f"{name}.json").write_text(json.dumps(grades(value, **said)))
    row = grades(0.6, name="no rhythms", settings={"slip": 0.1})
    made = {"hardware": "a CPU", "date": "2026-01-01", "command": "stress", "revision": "none", "rows": [row]}
    table = {"world": "rhythm-market", "weights": "f", "customers": 400} | made
    (tmp_path / FILE).write_text(json.dumps(table))
    return tmp_path


def test_programs_are_listed_best_first_and_another_librarys_model_is_compared_with_ours(benchmarks: Path) -> None:
    lines = market_tests(benchmarks)
    rows = [line for line in lines if line.startswith("| ") and "---" not in line]
    assert rows[1].startswith("| the fair oracle | 0.8000 | 100 % | 0.5000 | 0.800 | – | – | 0.800 |")
    assert rows[2].startswith("| sasrec | 0.5000 (0.400–0.600) | 62.5 % | 0.2000 | 0.500 | – | – | 0.500 |")
    assert rows[3].startswith("| SASRec of a peer | 0.4000 ")
    note = next(line for line in lines if line.startswith("SASRec of a peer: 1,234 parameters, 4 of 4 epochs"))
    assert "HR@10 0.4110, these lists 0.4130" in note
    assert note.endswith("It is 20.0 % below our sasrec.")


def test_a_model_whose_training_was_cut_short_is_not_compared(benchmarks: Path) -> None:
    path = benchmarks / FOLDER / "SASRec of a peer.json"
    report = json.loads(path.read_text())
    report["about"]["settings"] = {"epochs": 9}
    path.write_text(json.dumps(report))
    note = next(line for line in market_tests(benchmarks) if line.startswith("SASRec of a peer: "))
    assert "4 of 9 epochs" in note
    assert note.endswith("20.0 % below our sasrec, but the two cannot be compared yet: its training was cut short.")


def test_a_changed_market_is_shown_beside_its_own_oracle(benchmarks: Path) -> None:
    assert (
        "| no rhythms | 0.6000 (0.500–0.700) | 0.8000 | 75.0 % | chain: 0.600 of 0.800 | – | – | – |"
        in market_tests(benchmarks)
    )


def test_a_cause_that_does_not_occur_has_a_dash(benchmarks: Path) -> None:
    row = {"auc": 0.9, "oracle": 0.95, "weight_with": 0.8, "weight_without": 0.1, "targets": 10}
    said = {"gates": {"gates": {"temporal": row, "semantic": row}, "by_period": {}, "by_cycles": {}}}
    report = grades(0.7, name="graded", about={}, date="2026-01-01", command="grade", **said)
    (benchmarks / FOLDER / "graded.json").write_text(json.dumps(report))
    table = json.loads((benchmarks / FILE).read_text())
    table["rows"][0] |= said
    (benchmarks / FILE).write_text(json.dumps(table))
    lines = "\n".join(market_tests(benchmarks))
    assert "| 0.900, –, 0.900 |" in lines
    assert "| 0.950, –, 0.950 |" in lines
    assert "| 0.900 (0.950) | – | 0.900 (0.950) |" in lines


def test_without_reports_there_are_no_lines_and_damage_is_refused(benchmarks: Path, tmp_path: Path) -> None:
    assert market_tests(tmp_path / "elsewhere") == []
    (benchmarks / FILE).write_text("{}")
    with pytest.raises(DataError, match="not a readable stress table"):
        market_tests(benchmarks)


def test_a_recorded_run_has_the_figures_of_its_lists_in_the_markets_test() -> None:
    rows = json.loads((BENCHMARKS / "rhythm-market.json").read_text(encoding="utf-8"))["rows"]
    recorded = {row["model"]: row["unmasked"] for row in rows if "unmasked" in row and len(row["seeds"]) == 1}
    graded = [json.loads(path.read_text(encoding="utf-8")) for path in (BENCHMARKS / "market").glob("*.json")]
    both = {one["name"]: one["groups"]["all"]["figures"] for one in graded if one["name"] in recorded}
    assert len(both) > 3
    for name, figures in both.items():
        for metric in ("HR@10", "NDCG@10"):
            assert figures[metric]["value"] == pytest.approx(recorded[name][metric], abs=1e-6), name
