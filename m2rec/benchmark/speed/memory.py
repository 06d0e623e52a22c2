"""Peak memory of a computation, beyond what was allocated before it."""

import os
import tracemalloc
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

MEMORY_EVENT = "[memory]"

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler logs to standard error otherwise


def peak_mib(work: Callable[[], object], device: torch.device) -> float:
    """Peak MiB of tensors and arrays allocated by `work`; the rest of the process is not counted.

    On a CPU the peaks of PyTorch and of NumPy are found in two runs and added, an upper bound of their joint peak.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return (torch.cuda.max_memory_allocated(device) - before) / 2**20
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        work()
    # the profiler notes every allocation and release in the order they happened
    events = record.profiler.kineto_results.events()
    held = most = 0
    for event in sorted((e for e in events if e.name() == MEMORY_EVENT), key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return (most + _numpy_peak(work)) / 2**20


def _numpy_peak(work: Callable[[], object]) -> int:
    """Bytes of arrays, which PyTorch's profiler does not see, and of Python objects, which are few."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
