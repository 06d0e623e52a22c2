"""A worker of `queue.py`: reads jobs from standard input, runs them, and answers with their exit codes."""

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
    """For every line `LABEL SECONDS` of standard input run that job and write its exit code to standard output.

    `do` gets the job and its deadline (in seconds of `time.monotonic`), or None. Its output and its errors go into the
    job's log. Memory is released after every job.
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
    """Limit this process to a fraction of the GPU's memory, which leaves the rest to other processes."""
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
    """Append all output of this process to a file, including what libraries print from outside Python."""
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
