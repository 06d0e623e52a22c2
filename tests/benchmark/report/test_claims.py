"""The paper's two claims, against tables written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from m2rec.benchmark.report.claims import claims


def row(model: str, kind: str, validation: float) -> dict[str, Any]:
    return {"model": model, "kind": kind, "validation": {"NDCG@10": validation}}


def against(model: str, relative: float, p: float) -> list[dict[str, Any]]:
    one = {"against": model, "metric": "HR@10", "p": p}
    return [one | {"seen": "unmasked", "relative": relative}, one | {"seen": "masked", "relative": relative / 2}]


def write(folder: Path, name: str, content: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_lead_is_over_the_best_of_each_family_on_validation(tmp_path: Path) -> None:
    rows = [row("mamba2", "mamba2", 0.2), row("mamba4rec", "mamba4rec", 0.3), row("gru4rec", "gru4rec", 0.9)]
    compared = [*against("mamba2", 0.5, 0.2), *against("mamba4rec", 0.1, 0.0001), *against("gru4rec", -0.1, 0.5)]
    write(tmp_path, "films", {"rows": rows, "comparisons": compared})
    found = claims(["films", "nowhere"], tmp_path)
    assert len(found) == 4
    assert found[2] == (
        "| HR@10 3.2 % above Mamba recommenders | films | over mamba4rec, the best Mamba recommender: +10.0 % left in "
        "(p < 0.001) and +5.0 % taken out (p < 0.001); no Transformer is trained yet |"
    )


def test_another_model_may_be_the_best_with_seen_items_taken_out_and_older_runs_are_marked(tmp_path: Path) -> None:
    rows = [
        row("sasrec", "sasrec", 0.3) | {"validation_masked": {"NDCG@10": 0.3}, "remark": "trained before"},
        row("bsarec", "bsarec", 0.2) | {"validation_masked": {"NDCG@10": 0.4}},
    ]
    compared = [*against("sasrec", 0.5, 0.2), *against("bsarec", 0.1, 0.0001)]
    write(tmp_path, "films", {"rows": rows, "comparisons": compared})
    assert claims(["films"], tmp_path)[2].endswith(
        "over sasrec (trained before), the best Transformer left in: +50.0 % (p = 0.200); "
        "over bsarec, the best Transformer taken out: +5.0 % (p < 0.001) |"
    )


@pytest.mark.parametrize(("settings", "new"), [({}, 40), ({"repeat_bias": True}, 40), ({}, 30)])
def test_a_lead_due_to_the_repeat_bias_is_explained(tmp_path: Path, settings: dict[str, Any], new: int) -> None:
    rows = [row("sasrec", "sasrec", 0.2) | {"settings": settings}]
    about = {"targets": 40, "new_targets": new}
    write(tmp_path, "films", about | {"rows": rows, "comparisons": against("sasrec", 0.4, 0.0001)})
    found = claims(["films"], tmp_path)[2]
    if not settings and new == 40:
        assert "+20.0 % taken out (p < 0.001); +40.0 % left in (p < 0.001), where sasrec has no repeat bias" in found
    else:
        assert "+40.0 % left in (p < 0.001) and +20.0 % taken out (p < 0.001) |" in found


def test_the_speed_of_each_world_is_sasrecs_time_over_ours(tmp_path: Path) -> None:
    films = {"ratio_to_sasrec": {"50": 0.9, "200": 1.25, "1000": 4.04}, "ratio_of_one_more": {"200": 0.5}}
    write(tmp_path, "speed", {"worlds": {"films": films, "unknown": films}})
    found = claims(["films"], tmp_path)
    assert found[3:] == [""]
    assert found[2] == (
        "| answers 20 % faster than a Transformer | films | SASRec's time ÷ ours: from scratch 1.2 × after 200 items "
        "and 4.0 × after 1,000 items; for one more item 0.5 × after 200 items |"
    )


def test_without_records_there_is_no_table_and_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    assert claims(["films"], tmp_path) == []
    write(tmp_path, "films", {"rows": [], "comparisons": []})
    assert claims(["films"], tmp_path) == []
    write(tmp_path, "films", {"rows": []})
    with pytest.raises(KeyError):
        claims(["films"], tmp_path)
