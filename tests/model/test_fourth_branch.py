"""What CONTRIBUTING.md says of a branch: its own files and an entry in `m2rec/branches.py` are all that it takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("gate", ["distributions", "features"])
def test_a_branch_is_trained_evaluated_saved_and_answers_with_no_change_but_in_the_table(
    tmp_path: Path, gate: str
) -> None:
    command = [sys.executable, "-m", "tests.model.with_a_fourth_branch", str(tmp_path), gate]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
