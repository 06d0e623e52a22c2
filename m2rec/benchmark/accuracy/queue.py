"""Run a list of jobs in worker processes, several at a time, until all are done or time runs out.

A worker (`worker.py`) runs one job after another, which saves the start of a new process for each job. A job that fails
or is stopped does not affect the others: if its worker ended with it, the next job gets a new one. The next call
resumes unfinished jobs from their last saved epochs.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import FrameType

from m2rec.benchmark.accuracy.job import Job

POLL_SECONDS = 0.2
STOPPED = 75  # exit code of a job that ran out of time (EX_TEMPFAIL: try again)
GRACE_SECONDS = 20.0  # after the deadline, for an epoch that took longer than the previous one
NO_LIMIT = "-"  # sent to a worker instead of the seconds that are left


@dataclass
class Outcome:
    """How every job ended."""

    finished: list[Job] = field(default_factory=list)
    stopped: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)


class _Worker:
    """A worker process and its current job."""

    def __init__(self, command: Sequence[str], job: Job, threads: int) -> None:
        """Start the process. Errors during the start go into the log of its first job."""
        job.log_file.parent.mkdir(parents=True, exist_ok=True)
        with job.log_file.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={"OMP_NUM_THREADS": str(threads)} | dict(os.environ),
            )
        self.job: Job | None = None
        self._replies: SimpleQueue[str] = SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def give(self, job: Job, left: float | None) -> None:
        """Send the next job, which has `left` seconds; None is no limit."""
        self.job = job
        assert self.process.stdin is not None
        with suppress(OSError):  # the process has ended, which `code` will find
            self.process.stdin.write(f"{job.label} {NO_LIMIT if left is None else f'{left:.1f}'}\n")
            self.process.stdin.flush()

    def code(self) -> int | None:
        """The exit code of the job: the worker's answer or, if it ended without one, its own. None while it runs."""
        ended = self.process.poll()
        if ended is not None:
            self._listener.join()  # it may still be reading an answer
        with suppress(Empty):
            return int(self._replies.get_nowait())
        return ended

    def end(self, *, now: bool) -> None:
        """End the process, and wait until it has: with `now` by SIGTERM, else by closing its input."""
        if now:
            self.process.terminate()
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()  # a worker exits at the end of its input
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as answers:
            for line in answers:
                self._replies.put(line)


def run_queue(
    jobs: Sequence[Job],
    command: Sequence[str],
    *,
    at_once: int = 1,
    deadline: float | None = None,
    report: Callable[[str], None] = lambda sentence: None,
    while_waiting: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run the jobs in order, at most `at_once` at a time, in workers started by `command`. A job that starts from the
    weights of another one waits for it.

    No job starts after `deadline` (in seconds of `time.monotonic`). A job that still runs GRACE_SECONDS later is
    stopped; its last complete epoch is saved. `report` gets a sentence at each start and end, and `while_waiting` is
    called several times a second. When this function returns, also after an interrupt or SIGTERM, all processes that it
    started have ended.
    """
    outcome = Outcome()
    threads = max(1, (os.cpu_count() or 1) // at_once)  # unless OMP_NUM_THREADS is set
    waiting, busy, idle = list(jobs), list[_Worker](), list[_Worker]()
    with _interrupted_by_sigterm():
        try:
            while busy or (waiting and not _over(deadline)):
                while len(busy) < at_once and not _over(deadline):
                    job = _next(waiting, [worker.job for worker in busy])
                    if job is None:
                        break
                    waiting.remove(job)
                    busy.append(idle.pop() if idle else _Worker(command, job, threads))
                    busy[-1].give(job, None if deadline is None else deadline - time.monotonic())
                    report(f"{job.label} has started, {len(waiting)} to come.")
                time.sleep(POLL_SECONDS)
                for worker in list(busy):
                    code = worker.code()
                    if code is None and _over(deadline, GRACE_SECONDS):
                        worker.end(now=True)
                        code = STOPPED
                    if code is not None:
                        busy.remove(worker)
                        _settle(worker, code, outcome, report)
                        idle += [worker] * (worker.process.poll() is None)
                while_waiting()
        finally:
            for worker in busy:
                worker.end(now=True)
            for worker in idle:
                worker.end(now=False)
    outcome.stopped += waiting
    return outcome


def _next(waiting: Sequence[Job], running: Sequence[Job | None]) -> Job | None:
    """The first job that need not wait for the job whose weights it starts from."""
    unfinished = {job.label for job in (*waiting, *running) if job}
    return next((job for job in waiting if job.before is None or job.before.label not in unfinished), None)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Turn SIGTERM, which `timeout` and schedulers send, into KeyboardInterrupt. By default it would end Python at once
    and leave the worker processes running.
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


def _settle(worker: _Worker, code: int, outcome: Outcome, report: Callable[[str], None]) -> None:
    job = worker.job
    assert job is not None
    result = job.result() if code == 0 else None
    if result is not None:
        outcome.finished.append(job)
        shown = (result.test or result.validation)["unmasked"]
        report(f"{job.label} is done: HR@10 {shown['HR@10']:.4f}, NDCG@10 {shown['NDCG@10']:.4f}.")
    elif code == STOPPED:
        outcome.stopped.append(job)
        report(f"{job.label} ran out of time and will resume next time.")
    else:
        outcome.failed.append(job)
        report(f"{job.label} has failed (exit code {code}); the reason is at the end of {job.log_file}.")


def _over(deadline: float | None, grace: float = 0.0) -> bool:
    return deadline is not None and time.monotonic() > deadline + grace
