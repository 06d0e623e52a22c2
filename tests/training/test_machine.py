"""What a run records of its machine: the revision also without git, and the peak memory of this run alone."""

import sys

import numpy as np
import pytest
import torch

from m2rec.training import machine
from m2rec.training.machine import git_revision, peak_memory_mib, reset_peak_memory

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0123456789ab", "0123456789ab"), ("0123456+", "0123456+"), ("", "unknown"), ("x", "unknown")],
)
@pytest.mark.parametrize("copied", [True, False], ids=["a copy without .git", "an installed package"])
def test_without_git_the_environment_gives_the_revision(monkeypatch, tmp_path, given, expected, copied) -> None:
    monkeypatch.setattr(machine, "checkout", lambda: tmp_path if copied else None)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("M2REC_REVISION", given)
    assert git_revision() == expected


def test_the_environment_comes_before_git_where_the_copied_files_are_newer(monkeypatch) -> None:
    monkeypatch.setenv("M2REC_REVISION", "0123456789ab")
    assert git_revision() == "0123456789ab"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset a process's peak")
def test_a_runs_peak_does_not_count_what_was_released_before_it() -> None:
    held = np.ones(16 * 2**20)  # 128 MiB
    peak = peak_memory_mib(CPU)
    del held
    reset_peak_memory(CPU)
    assert peak_memory_mib(CPU) < peak - 64
