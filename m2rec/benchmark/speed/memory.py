"""Peak memory that a computation allocates."""

import os
import tracemalloc
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

MEMORY_EVENT = "[memory]"

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler logs to standard error otherwise


def peak_mib(work: Callable[[], object], device: torch.device) -> float:
    """Peak memory in MiB of tensors and arrays that `work` allocates; the rest of the process does not count.

    On a CPU, the peaks of PyTorch and NumPy are measured in two runs and added: an upper bound of their joint peak.
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
    # the profiler records all allocations and releases
    events = record.profiler.kineto_results.events()
    held = most = 0
    for event in sorted((e for e in events if e.name() == MEMORY_EVENT), key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return (most + _numpy_peak(work)) / 2**20


def _numpy_peak(work: Callable[[], object]) -> int:
    """Peak bytes of NumPy arrays, which PyTorch's profiler does not count, and of the few Python objects."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
