"""The README's short table."""

import json
from pathlib import Path
from typing import Any

import pytest

from m2rec.benchmark.report.summary import SUMMARY_HEAD, summary, texts_note
from tests.evaluation.test_report import measurement

FIGURES = {name: {"value": 0.3, "low": 0.2, "high": 0.4} for name in ("HR@10", "NDCG@10")}
REACHED = {"unmasked": measurement(0.3, "unmasked", figures=FIGURES)}


def row(model: str, kind: str, validation: float, epochs: int) -> dict[str, Any]:
    figures = {"unmasked": {"HR@10": 0.25, "NDCG@10": 0.125}}
    intervals = {"unmasked_interval": {"HR@10": [0.2, 0.3], "NDCG@10": [0.1, 0.15]}}
    trained = {"epochs": [epochs], "training": {"epochs": 4}, "validation": {"NDCG@10": validation}}
    return {"model": model, "kind": kind, "seeds": [0]} | figures | intervals | trained


def test_each_family_is_shown_by_its_best_on_validation_and_short_trainings_are_marked(tmp_path: Path) -> None:
    rows = [row("mamba2", "mamba2", 0.1, 3), row("mamba4rec", "mamba4rec", 0.2, 4), row("sasrec", "sasrec", 0.3, 3)]
    (tmp_path / "films.json").write_text(json.dumps({"rows": rows}))
    lines = summary("films", REACHED, tmp_path, {"HR@10": 0.5, "NDCG@10": 0.4})
    theirs = "0.2500 (0.200–0.300) | 0.1250 (0.100–0.150) | – | –"
    assert lines == [
        "| films | **m2rec** | 0.3000 (0.200–0.400) | 0.3000 (0.200–0.400) | – | – |",
        f"|  | mamba4rec, the best Mamba recommender, still improving at its last epoch | {theirs} |",
        f"|  | sasrec, the best Transformer | {theirs} |",
        "|  | the fair oracle | 0.5000 | 0.4000 | – | – |",
    ]
    assert {line.count("|") for line in (*lines, *SUMMARY_HEAD)} == {7}


def test_the_mean_of_several_seeds_is_shown_beside_the_shipped_model(tmp_path: Path) -> None:
    again = row("m2rec", "m2rec", 0.4, 3) | {"unmasked_sd": {"HR@10": 0.01, "NDCG@10": 0.02}}
    (tmp_path / "films.json").write_text(json.dumps({"rows": [again]}))
    assert len(summary("films", REACHED, tmp_path)) == 1  # one seed is the shipped model itself
    (tmp_path / "films.json").write_text(json.dumps({"rows": [again | {"seeds": [0, 1, 2]}]}))
    mean = "0.2500 ± 0.0100 | 0.1250 ± 0.0200 | – | –"
    assert summary("films", REACHED, tmp_path)[1:] == [f"|  | m2rec, mean of 3 seeds | {mean} |"]


def test_without_baselines_there_is_m2rec_alone_and_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    assert len(summary("films", REACHED, tmp_path)) == 1
    (tmp_path / "films.json").write_text('{"rows": [{}]}')
    with pytest.raises(KeyError):
        summary("films", REACHED, tmp_path)


def test_it_is_noted_if_no_baseline_reads_texts(tmp_path: Path) -> None:
    (tmp_path / "films.json").write_text(json.dumps({"rows": [row("sasrec", "sasrec", 0.1, 3)]}))
    (tmp_path / "shop.json").write_text(json.dumps({"rows": [row("sasrec-text", "sasrec-text", 0.1, 3)]}))
    found = texts_note(["films", "shop", "nowhere"], tmp_path)
    assert found[0] == "M2Rec reads the items' texts; in films no trained baseline does."
    assert texts_note(["shop", "nowhere"], tmp_path) == []
