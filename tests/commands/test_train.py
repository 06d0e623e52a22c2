import json
import os
import subprocess
import sys

from m2rec.checkpoint import Checkpoint
from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared


def test_the_checkpoint_is_what_the_summary_says(run, shop, tmp_path):
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
