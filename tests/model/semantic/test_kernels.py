"""The Triton kernel of the theme filter against PyTorch's loop, in Triton's interpreter, and without Triton."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch

from m2rec.model.kernel_choice import TOLERANCE, largest_difference
from m2rec.model.semantic.kernels import evidence, gpu_filter
from m2rec.model.semantic.themes import filter_pairs

CPU = torch.device("cpu")
# The interpreter is chosen before Triton is imported, which other tests of this process may have done.
COMPARE = """
import sys
import torch
from m2rec.model.kernel_choice import largest_difference
from m2rec.model.semantic.kernels import evidence, gpu_filter
from m2rec.model.semantic.pair_filter_triton import filter_pairs as kernel
from m2rec.model.semantic.themes import filter_pairs

for batch, length, themes in ((2, 7, 24), (1, 1, 3), (3, 4, 16), (2, 3, 17)):
    given = evidence(themes, torch.device("cpu"), batch=batch, length=length)
    print(largest_difference(kernel, filter_pairs, given))
with torch.inference_mode():
    chosen = gpu_filter(filter_pairs, 5, torch.device("cpu"))
assert chosen is kernel
"""


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="needs triton: requirements-gpu.txt")
def test_the_kernel_and_its_gradients_agree_with_the_plain_loop() -> None:
    found = subprocess.run(
        [sys.executable, "-c", COMPARE],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    differences = [float(line) for line in found.stdout.splitlines()]
    assert len(differences) == 4
    assert max(differences) < 1e-5


def test_without_triton_the_plain_loop_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "m2rec.model.semantic.pair_filter_triton", None)
    gpu_filter.cache_clear()
    assert gpu_filter(filter_pairs, 4, CPU) is filter_pairs
    gpu_filter.cache_clear()


def test_a_kernel_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        themes, belief = filter_pairs(*given)
        return themes * 1.001, belief

    assert largest_difference(wrong, filter_pairs, evidence(4, CPU)) > TOLERANCE
    assert largest_difference(filter_pairs, filter_pairs, evidence(4, CPU)) == 0
    module = type(sys)("m2rec.model.semantic.pair_filter_triton")
    module.filter_pairs = wrong  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    gpu_filter.cache_clear()
    assert gpu_filter(filter_pairs, 4, CPU) is filter_pairs
    gpu_filter.cache_clear()
