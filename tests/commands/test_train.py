import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from m2rec.checkpoint import Checkpoint
from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared


def test_a_folder_with_other_files_is_refused_before_training(run, shop, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    result = run("train", shop.settings, "--out", tmp_path, "--epochs", 1, "--cpu", "--restart")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "it holds thesis.txt" in result.err
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_training_that_diverges_is_one_sentence(run, shop, tmp_path):
    options = ["--cpu", "--seed", 4, "--set", "training.learning_rate=1e18"]
    result = run("train", shop.settings, "--out", tmp_path / "made", *options)
    assert result.code == 2
    assert "Training diverged in epoch 1" in result.err.splitlines()[-1]
    assert not (tmp_path / "made").exists()


def test_the_checkpoint_is_the_one_in_the_summary(run, shop, tmp_path):
    result = run("train", shop.settings, "--out", tmp_path / "made", "--seed", 3, "--epochs", 1, "--cpu", "--json", "-")
    assert result.code == 0
    checkpoint = Checkpoint.load(tmp_path / "made")
    assert checkpoint.config.world == "corner-shop"
    assert checkpoint.config.data.fingerprint == Prepared.load(prepared_folder("corner-shop")).fingerprint
    assert checkpoint.config.training.settings["seed"] == result.json["seed"] == 3
    assert checkpoint.config.training.epochs == result.json["epochs"] == 1
    assert checkpoint.config.trained_on == result.json["trained_on"]
    assert checkpoint.config.training.command.startswith("python -m m2rec")
    assert set(result.json["validation"]) == {"NDCG@10", "HR@10"}


def test_each_epoch_is_reported_while_it_runs(run, shop, tmp_path):
    result = run("train", shop.settings, "--out", tmp_path / "made", "--cpu", "--restart")
    assert "epoch 1: loss" in result.err
    assert "epoch 2: loss" in result.err
    assert "best epoch" in result.out


def test_an_unprepared_world_is_refused_with_the_command_that_prepares_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    result = run("train", "ml-1m", "--out", tmp_path / "made")
    assert result.code == 2
    assert "python -m m2rec prepare ml-1m" in result.err
    assert not (tmp_path / "made").exists()


@pytest.mark.slow
def test_training_imports_neither_the_page_nor_the_language_model(shop, tmp_path):
    arguments = ["train", shop.settings, "--out", str(tmp_path / "made"), "--epochs", "1", "--cpu", "--seed", "9"]
    code = (
        "import json, sys; from m2rec.commands.app import main; code = main(json.loads(sys.argv[1])); "
        "print(json.dumps([code, sorted({'gradio', 'sentence_transformers', 'torch'} & set(sys.modules))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, ["torch"]], done.stderr


def test_a_run_may_start_from_a_checkpoint_with_other_settings_and_says_so(run, shop, tmp_path):
    first = ["train", shop.settings, "--out", tmp_path / "first", "--seed", 5, "--epochs", 1, "--cpu"]
    assert run(*first).code == 0
    second = ["train", shop.settings, "--out", tmp_path / "second", "--seed", 5, "--epochs", 1, "--cpu"]
    second += ["--start-from", tmp_path / "first", "--set", "training.learning_rate=1e-9", "--set", "model.dropout=0.0"]
    assert run(*second).code == 0
    before, after = Checkpoint.load(tmp_path / "first"), Checkpoint.load(tmp_path / "second")
    assert after.config.model.dropout == 0.0
    assert after.config.training.settings["learning_rate"] == 1e-9
    assert after.config.training.before == before.config.training
    assert after.config.training.before.command in after.card
    assert all(np.abs(after.weights[name] - before.weights[name]).max() < 1e-6 for name in before.weights)


def test_a_further_temporal_layer_changes_nothing_at_first(run, shop, tmp_path):
    first = ["train", shop.settings, "--out", tmp_path / "first", "--seed", 11, "--epochs", 1, "--cpu"]
    assert run(*first).code == 0
    second = ["train", shop.settings, "--out", tmp_path / "second", "--seed", 11, "--epochs", 1, "--cpu"]
    second += ["--start-from", tmp_path / "first", "--set", "training.learning_rate=1e-9"]
    assert run(*second, "--set", "model.temporal_layers=2").code == 0
    one, two = (Checkpoint.load(tmp_path / name).model() for name in ("first", "second"))
    assert (one.config.temporal_layers, two.config.temporal_layers) == (1, 2)
    items = torch.tensor([[1, 2, 3, 1, 2, 4]])
    last = torch.tensor([[False] * 5 + [True]])
    with torch.no_grad():
        torch.testing.assert_close(one.log_scores(items, last), two.log_scores(items, last), atol=1e-5, rtol=0)


def test_a_checkpoint_of_another_shape_is_refused_as_a_start(run, shop, tmp_path):
    assert run("train", shop.settings, "--out", tmp_path / "first", "--seed", 6, "--epochs", 1, "--cpu").code == 0
    other = ["--start-from", tmp_path / "first", "--set", "model.state_width=5"]
    result = run("train", shop.settings, "--out", tmp_path / "second", "--cpu", *other)
    assert result.code == 2
    assert "do not fit these settings" in result.err


def test_a_checkpoint_of_other_items_is_refused_as_a_start(run, shop, tmp_path):
    made = Checkpoint.load(shop.checkpoint)
    replace(made, items=made.items[::-1]).save(tmp_path / "turned")
    result = run("train", shop.settings, "--out", tmp_path / "second", "--cpu", "--start-from", tmp_path / "turned")
    assert result.code == 2
    assert "has other items" in result.err
    assert not (tmp_path / "second").exists()


def test_a_finished_run_does_not_count_for_other_settings(run, shop, tmp_path):
    first = ["train", shop.settings, "--out", tmp_path / "made", "--seed", 8, "--epochs", 1, "--cpu"]
    assert run(*first).code == 0
    result = run(*first, "--set", "model.dropout=0.45")
    assert result.code == 2
    assert "--restart" in result.err
    assert run(*first, "--set", "model.dropout=0.45", "--restart").code == 0


def test_a_setting_that_does_not_exist_is_refused(run, shop, tmp_path):
    result = run("train", shop.settings, "--out", tmp_path / "made", "--set", "model.depth=3")
    assert result.code == 2
    assert "model.depth" in result.err
    result = run("train", shop.settings, "--out", tmp_path / "made", "--set", "dropout:0.1")
    assert result.code == 2
    assert "write one like model.dropout=0.1" in result.err
    result = run("train", shop.settings, "--out", tmp_path / "made", "--set", "data.split='by-user'")
    assert result.code == 2
    assert "data.split is a choice of `prepare`" in result.err
