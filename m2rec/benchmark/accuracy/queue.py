"""Run a list of jobs, several at a time, each in its own process, until all are done or the time is up.

A job that fails or is stopped does not affect the others; the next call goes on from the last saved epochs.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TextIO

from m2rec.benchmark.accuracy.job import Job

POLL_SECONDS = 0.5
STOPPED = 75  # exit code of a run that stopped for lack of time (EX_TEMPFAIL: try again)
GRACE_SECONDS = 20.0  # after the deadline, for an epoch that took longer than the one before


@dataclass
class Outcome:
    """How every job ended."""

    finished: list[Job] = field(default_factory=list)
    stopped: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    log: TextIO


def run_queue(
    jobs: Sequence[Job],
    command: Callable[[Job, float | None], list[str]],
    *,
    at_once: int = 1,
    deadline: float | None = None,
    report: Callable[[str], None] = lambda sentence: None,
) -> Outcome:
    """Start `command(job, seconds left)` for every job, at most `at_once` at a time, in order.

    No run is started after `deadline` (`time.monotonic`); one that is still going then is ended, and its last whole
    epoch is kept. Every process started here is gone when this returns, also when it is interrupted or gets SIGTERM.
    """
    outcome = Outcome()
    waiting, running = list(jobs), list[_Running]()
    with _interrupted_by_sigterm():
        try:
            while running or (waiting and not _over(deadline)):
                while waiting and len(running) < at_once and not _over(deadline):
                    left = None if deadline is None else deadline - time.monotonic()
                    running.append(_start(waiting[0], command(waiting[0], left), at_once))
                    del waiting[0]
                    report(f"{running[-1].job.label} has started, {len(waiting)} to come.")
                time.sleep(POLL_SECONDS)
                for one in [one for one in running if one.process.poll() is not None or _over(deadline, GRACE_SECONDS)]:
                    running.remove(one)
                    _settle(one, outcome, report)
        finally:
            for one in running:
                _end(one)
    outcome.stopped += waiting
    return outcome


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM, which `timeout` and schedulers send, into KeyboardInterrupt: by default Python would exit at once
    and leave the processes that it started running.
    """

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set a handler
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(job: Job, arguments: list[str], at_once: int) -> _Running:
    threads = max(1, (os.cpu_count() or 1) // at_once)  # the cores are divided unless OMP_NUM_THREADS is set
    job.log_file.parent.mkdir(parents=True, exist_ok=True)
    log = job.log_file.open("a", encoding="utf-8")
    process = subprocess.Popen(
        arguments, stdout=log, stderr=log, env={"OMP_NUM_THREADS": str(threads)} | dict(os.environ)
    )
    return _Running(job, process, log)


def _settle(one: _Running, outcome: Outcome, report: Callable[[str], None]) -> None:
    code = one.process.poll()
    if code is None:
        _end(one)
        code = STOPPED
    one.log.close()
    result = one.job.result() if code == 0 else None
    if result is not None:
        outcome.finished.append(one.job)
        shown = (result.test or result.validation)["unmasked"]
        report(f"{one.job.label} is done: HR@10 {shown['HR@10']:.4f}, NDCG@10 {shown['NDCG@10']:.4f}.")
    elif code == STOPPED:
        outcome.stopped.append(one.job)
        report(f"{one.job.label} was stopped for lack of time and will go on next time.")
    else:
        outcome.failed.append(one.job)
        report(f"{one.job.label} has failed (exit code {code}); the reason is at the end of {one.job.log_file}.")


def _end(one: _Running) -> None:
    one.process.terminate()
    try:
        one.process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        one.process.kill()
        one.process.wait()
    one.log.close()


def _over(deadline: float | None, grace: float = 0.0) -> bool:
    return deadline is not None and time.monotonic() > deadline + grace
