import importlib
import json
import shutil
import subprocess
import sys

import pytest
import torch

from m2rec import paths
from m2rec.benchmark.speed import gpu, measure, shapes
from m2rec.benchmark.speed.turns import Workload
from m2rec.commands.benchmark import speed_gpu
from tests.places import ROOT

TINY = Workload(
    lengths=(4, 7),
    live_lengths=(4,),
    batch_lengths=(5,),
    threads=(1,),
    rounds=1,
    burst=1,
    training_steps=0,
)


@pytest.fixture(autouse=True)
def small(shop, monkeypatch, tmp_path):
    """The corner shop is the only checkpoint, and there are few films."""
    shutil.copytree(shop.checkpoint, tmp_path / "checkpoints" / "corner-shop")
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path / "checkpoints")
    monkeypatch.setattr(shapes, "FILM_COUNT", 20)
    for name in ("ANSWERS", "QUICK_ANSWERS"):
        monkeypatch.setattr(importlib.import_module("m2rec.commands.benchmark.speed"), name, 5)


def test_the_figures_have_the_ratios_of_every_world_and_the_hardware(run, monkeypatch):
    assert {200, 1000, 4000} <= set(measure.THOROUGH.lengths)
    assert {200, 1000, 4000} <= set(measure.QUICK.lengths)
    monkeypatch.setattr(measure, "THOROUGH", TINY)
    found = run("benchmark", "speed", "--json", "-").json
    assert set(found["ratio_to_sasrec"]) == {"4", "7"}
    assert found["weights"] == "random"
    assert found["threads"] == [1]
    assert {"hardware", "torch", "date", "command", "revision", "growth", "rows", "peaks"} <= set(found)
    assert set(found["worlds"]) == {"ml-1m", "corner-shop"}
    for world in found["worlds"].values():
        assert set(world["ratio_to_sasrec"]) == {"4", "7"}
        assert set(world["ratio_of_one_more"]) == {"4"}
    films, shop = found["worlds"]["ml-1m"], found["worlds"]["corner-shop"]
    assert films["ratio_to_sasrec"] == found["ratio_to_sasrec"]
    assert {row["model"] for row in shop["rows"]} == {"m2rec", "sasrec", "sasrec, without cache"}
    assert shop["recommend"]["length"] == 10  # the longest history that the shop reads


def test_quick_figures_are_shown_in_tables(run, monkeypatch):
    monkeypatch.setattr(measure, "QUICK", TINY)
    result = run("benchmark", "speed", "--quick")
    assert result.code == 0
    for heading in ("One answer", "Growth with the history", "on one thread: ml-1m", "on one thread: corner-shop"):
        assert heading in result.out
    assert "Answers of corner-shop, 10 items, 1 CPU thread" in result.out
    assert "mamba4rec, 2 layers" in result.out
    assert "ml-1m: one added item after 4" in result.err


def test_a_large_catalogue_is_timed_for_the_network_of_every_world(run):
    found = run("benchmark", "speed", "--items", 2000, "--quick", "--json", "-").json
    assert found["catalogue"] == 2000
    assert set(found["worlds"]) == {"ml-1m", "corner-shop"}
    assert all(one["items"] == 2000 and one["median_ms"] > 0 for one in found["worlds"].values())


WITHOUT_THE_PAGE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"gradio", "plotly", "orjson", "sentence_transformers", "httpx"}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
import torch
from m2rec.benchmark.speed import gpu, shapes
from m2rec.benchmark.speed.turns import Workload
from m2rec.commands.app import main
from m2rec.commands.benchmark import speed_gpu

speed_gpu.gpu = lambda: torch.device("cpu")
shapes.FILM_COUNT = 20
gpu.ON_GPU = Workload(lengths=(4,), batch_lengths=(4,), batch=3, rounds=1, burst=1, training_steps=1, names=("m2rec",))
sys.exit(main(["benchmark", "speed", "--gpu", "--json", "-"]))
"""


@pytest.fixture
def card(monkeypatch):
    """The CPU stands in for a GPU, with a small workload."""
    monkeypatch.setattr(speed_gpu, "gpu", lambda: torch.device("cpu"))
    small = Workload(
        lengths=(4,), batch_lengths=(4,), batch=3, rounds=1, burst=1, training_steps=1, names=("m2rec", "sasrec")
    )
    monkeypatch.setattr(gpu, "ON_GPU", small)
    monkeypatch.setattr(gpu, "GOALS", {4: 1.2})


def test_a_gpu_is_measured_alone_and_shown(run, card, tmp_path):
    file = tmp_path / "speed-gpu.json"
    result = run("benchmark", "speed", "--gpu", "--json", file)
    assert result.code == 0
    found = json.loads(file.read_text())
    assert found["finished"] is True
    assert {(row["what"], row["model"]) for row in found["rows"]} == {
        (what, model) for what in ("batch", "answer") for model in ("m2rec", "sasrec")
    }
    assert len(found["training"]) == 2
    for heading in ("On the GPU", "M2Rec's answers/s ÷ SASRec's", "Training"):
        assert heading in result.out
    assert "ml-1m: 3 answers at once, 4 items" in result.err


def test_a_stopped_run_on_a_gpu_keeps_what_it_has_measured(run, card, monkeypatch, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu, "training_times", stop)
    file = tmp_path / "speed-gpu.json"
    assert run("benchmark", "speed", "--gpu", "--json", file).code == 130
    found = json.loads(file.read_text())
    assert found["finished"] is False
    assert len(found["rows"]) == 4


def test_a_gpu_is_measured_without_the_packages_of_the_page():
    ran = subprocess.run([sys.executable, "-c", WITHOUT_THE_PAGE], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert len(json.loads(ran.stdout)["rows"]) == 2


def test_without_a_gpu_one_sentence_says_so(run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = run("benchmark", "speed", "--gpu")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("PyTorch finds no GPU on this machine")
    for other in (["--quick"], ["--items", 2000]):
        result = run("benchmark", "speed", "--gpu", *other)
        assert result.code == 2
        assert "without --quick and --items" in result.err
