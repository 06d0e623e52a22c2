import json

import pytest

PLAN = """
world = "{world}"
seeds = [0]

[[model]]
name = "m2rec"
kind = "m2rec"

[[model]]
name = "popularity"
kind = "popularity"

[[model]]
name = "gru4rec"
kind = "gru4rec"
"""


@pytest.fixture
def plan(shop, tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(PLAN.format(world=shop.settings))
    return path


def test_a_plan_is_carried_out_and_its_table_written(run, plan, tmp_path):
    places = ("--runs", tmp_path / "runs", "--out", tmp_path / "assets", "--cpu")
    here = run("benchmark", "train", plan, "--here", "--only", "m2rec", "--only", "gru4rec", *places)
    assert here.code == 0
    assert "epoch 2: loss" in here.err
    states = run("benchmark", "train", plan, "--list", *places, "--json", "-").json["trial"]
    assert states == {"m2rec-0": "done", "popularity-0": "to come", "gru4rec-0": "done"}

    result = run("benchmark", "train", plan, "--at-once", 2, *places)
    assert result.code == 0, result.err
    assert "m2rec-0 has started" not in result.err
    assert "popularity-0 is done: HR@10" in result.err
    table = json.loads((tmp_path / "assets" / "trial.json").read_text())
    assert [row["model"] for row in table["rows"]] == ["m2rec", "popularity", "gru4rec"]
    assert all(
        {"HR@10", "NDCG@10", "MRR@10"} <= set(row[seen]) for row in table["rows"] for seen in ("unmasked", "masked")
    )
    assert table["missing"] == []
    assert f"{table['rows'][0]['unmasked']['HR@10']:.4f}" in result.out
    assert "±" not in result.out  # one seed has no spread
    commands = table["rows"][1]["commands"]
    assert len(commands) == 1
    assert "--only popularity --seed 0" in commands[0]


def test_time_that_is_up_stops_the_plan_and_says_how_to_go_on(run, plan, tmp_path, monkeypatch):
    from m2rec.benchmark import runs

    monkeypatch.setattr(runs, "_over", lambda *deadline: True)
    result = run(
        "benchmark", "train", plan, "--budget-minutes", 1, "--runs", tmp_path / "runs", "--out", tmp_path, "--cpu"
    )
    assert result.code == runs.STOPPED
    assert "Not finished: m2rec-0, popularity-0, gru4rec-0; the same command goes on from there." in result.err


def test_a_plan_or_all_of_them_has_to_be_said(run):
    for arguments in ((), ("ml-1m", "--all")):
        result = run("benchmark", "train", *arguments)
        assert result.code == 2
        assert "--all for every one that is published" in result.err


def test_a_mistaken_model_is_refused_before_anything_runs(run, plan, tmp_path):
    result = run("benchmark", "train", plan, "--only", "sasrec", "--runs", tmp_path / "runs")
    assert result.code == 2
    assert "The plan trial has no model sasrec; it has m2rec, popularity, gru4rec." in result.err
