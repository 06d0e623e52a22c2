"""Peak memory of computations whose memory is known."""

import numpy as np
import pytest
import torch

from m2rec.benchmark.speed.memory import peak_mib

CPU = torch.device("cpu")
MIB = 2**18  # float32 numbers


def test_released_memory_does_not_count_twice() -> None:
    def work() -> None:
        first = torch.empty(4 * MIB)
        second = torch.empty(4 * MIB)
        del first
        third = torch.empty(2 * MIB)
        del second, third

    assert peak_mib(work, CPU) == pytest.approx(8.0, abs=0.01)


def test_memory_allocated_before_does_not_count() -> None:
    held = torch.ones(4 * MIB)
    assert peak_mib(lambda: held.sum(), CPU) < 0.1


def test_numpy_arrays_count_like_tensors() -> None:
    """PyTorch's profiler does not count NumPy arrays, which part of an answer needs."""
    mib = peak_mib(lambda: np.ones(4 * MIB, dtype=np.float32).sum(), CPU)
    assert 4 <= mib < 4.5
    both = peak_mib(lambda: (np.ones(4 * MIB, dtype=np.float32), torch.ones(4 * MIB)), CPU)
    assert 8 <= both < 8.5
