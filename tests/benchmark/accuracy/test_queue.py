"""Runs side by side: order, failures, time that runs out, and nothing left behind. Stand-ins train instead."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from m2rec.benchmark.accuracy import queue as runs
from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.queue import STOPPED, run_queue
from m2rec.data.prepared import Prepared
from tests.benchmark.accuracy.test_table import finish, ranked
from tests.benchmark.conftest import MakeJob


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(runs, "GRACE_SECONDS", 0.3)


@pytest.fixture
def jobs(job: MakeJob) -> list[Job]:
    return [job("gru4rec", name=f"run-{letter}") for letter in "abcd"]


def exits(code: int) -> list[str]:
    return [sys.executable, "-S", "-c", f"raise SystemExit({code})"]


SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


def test_each_run_is_its_own_process_and_failures_stay_their_own(jobs: list[Job]) -> None:
    codes = {"run-a-0": 0, "run-b-0": 3, "run-c-0": STOPPED, "run-d-0": 0}
    finish(jobs[0], ranked(10))  # d ends well and leaves no result: that is a failure too
    sentences: list[str] = []
    outcome = run_queue(jobs, lambda job, left: exits(codes[job.name]), at_once=3, report=sentences.append)
    assert [job.name for job in outcome.finished] == ["run-a-0"]
    assert {job.name for job in outcome.failed} == {"run-b-0", "run-d-0"}
    assert [job.name for job in outcome.stopped] == ["run-c-0"]
    assert "trial/run-a-0 is done: HR@10 0.2500, NDCG@10 0.2500." in sentences
    assert any("exit code 3" in sentence and str(jobs[1].log_file) in sentence for sentence in sentences)


def test_no_more_run_at_a_time_than_allowed(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[subprocess.Popen] = []
    most = 0
    real = subprocess.Popen

    def watched(*arguments, **options):
        nonlocal most
        alive.append(real(*arguments, **options))
        most = max(most, sum(process.poll() is None for process in alive))
        return alive[-1]

    monkeypatch.setattr(runs.subprocess, "Popen", watched)
    waits = [sys.executable, "-S", "-c", "import time; time.sleep(0.2)"]
    run_queue(jobs, lambda job, left: waits, at_once=2)
    assert len(alive) == 4
    assert most == 2


def test_after_the_deadline_nothing_starts_and_what_still_runs_is_ended(jobs: list[Job]) -> None:
    began = time.monotonic()
    seen: list[float | None] = []

    def command(job: Job, left: float | None) -> list[str]:
        seen.append(left)
        return SLEEPS

    outcome = run_queue(jobs, command, at_once=2, deadline=time.monotonic() + 0.5)
    assert time.monotonic() - began < 30
    assert len(outcome.stopped) == 4
    assert len(seen) == 2
    assert all(left is not None and 0 < left <= 0.5 for left in seen)


def test_an_interruption_leaves_no_process_behind(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []
    real = subprocess.Popen
    monkeypatch.setattr(runs.subprocess, "Popen", lambda *a, **o: started.append(real(*a, **o)) or started[-1])

    def interrupt(sentence: str) -> None:
        if "3 to come" not in sentence:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_queue(jobs, lambda job, left: SLEEPS, at_once=2, report=interrupt)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_ended_by_a_signal_it_leaves_no_process_behind(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []
    real = subprocess.Popen
    monkeypatch.setattr(runs.subprocess, "Popen", lambda *a, **o: started.append(real(*a, **o)) or started[-1])
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run_queue(jobs, lambda job, left: SLEEPS, at_once=2, report=lambda what: os.kill(os.getpid(), signal.SIGTERM))
    assert started
    assert all(process.poll() is not None for process in started)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_a_run_says_is_in_its_log(jobs: list[Job], prepared: Prepared, tmp_path: Path) -> None:
    says = [sys.executable, "-S", "-c", "import sys; print('out'); sys.stderr.write('err'); sys.exit(1)"]
    run_queue(jobs[:1], lambda job, left: says)
    assert set(jobs[0].log_file.read_text().split()) == {"out", "err"}
