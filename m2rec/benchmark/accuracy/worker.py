"""A worker of `queue.py`: reads jobs from standard input, runs each, and answers with its exit code."""

import gc
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from m2rec.benchmark.accuracy.job import Job, OutOfTimeError
from m2rec.benchmark.accuracy.queue import NO_LIMIT, STOPPED

FAILED = 1

log = logging.getLogger(__name__)


def work(jobs: Mapping[str, Job], do: Callable[[Job, float | None], None]) -> None:
    """Answer every line `LABEL SECONDS` of standard input, until it ends, with the exit code of that job.

    `do` gets the job and the time (`time.monotonic`) by which it has to end, or None. What it prints goes into the
    job's log, and so does the reason why it fails; memory of a failed job is released before the next one.
    """
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as replies:
        for line in sys.stdin:
            label, left = line.split()
            deadline = None if left == NO_LIMIT else time.monotonic() + float(left)
            _print_into(jobs[label].log_file)
            code = _code(jobs[label], do, deadline)
            _release_memory()
            _answer(replies, code)


def limit_memory(fraction: float) -> None:
    """Limit this process to a fraction of the GPU's memory, so that other processes have theirs."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(fraction)


def _code(job: Job, do: Callable[[Job, float | None], None], deadline: float | None) -> int:
    try:
        do(job, deadline)
    except OutOfTimeError:
        return STOPPED
    except Exception:
        log.exception("%s has failed.", job.label)
        return FAILED
    return 0


def _print_into(path: Path) -> None:
    """Let everything this process prints go to the end of this file, also what libraries print by themselves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with path.open("a", encoding="utf-8") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())


def _release_memory() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _answer(replies: TextIO, code: int) -> None:
    replies.write(f"{code}\n")
    replies.flush()
