"""The device, peak memory and code revision that a run records."""

import os
import platform
import re
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import torch

from m2rec.paths import checkout

REVISION = "M2REC_REVISION"  # environment variable


def device_name(device: torch.device) -> str:
    """The GPU's name, or "cpu (processor, threads)"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu ({_processor()}, {torch.get_num_threads()} threads)"


def peak_memory_mib(device: torch.device) -> float:
    """Peak memory so far, in MiB: allocated on the GPU, or this process's resident set on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def reset_peak_memory(device: torch.device) -> None:
    """Make `peak_memory_mib` count from now, to measure several runs in one process separately."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):  # Linux only; elsewhere a process's peak covers all its runs
        Path("/proc/self/clear_refs").write_text("5")


def git_revision() -> str:
    """The environment variable M2REC_REVISION, or the code's git commit, with "+" when files have changed since.

    "unknown" without both. The variable comes first because files that were copied to another machine may be newer than
    the `.git` there.
    """
    given = os.environ.get(REVISION, "")
    if re.fullmatch(r"[0-9a-f]{7,40}\+?", given):
        return given
    root = checkout()
    if root is not None:
        ask = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        with suppress(OSError, subprocess.SubprocessError):
            return subprocess.run(ask, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    return "unknown"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
