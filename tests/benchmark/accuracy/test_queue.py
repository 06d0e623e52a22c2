"""Several runs at a time: order, failures, deadlines and cleaning up. Small scripts stand in for training."""

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
from tests.benchmark.accuracy.test_table import finish, ranked
from tests.benchmark.conftest import MakeJob


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(runs, "GRACE_SECONDS", 0.3)


@pytest.fixture
def jobs(job: MakeJob) -> list[Job]:
    return [job("gru4rec", name=f"run-{letter}") for letter in "abcd"]


def worker(does: str) -> list[str]:
    """A stand-in for `benchmark worker`: `does` is code run for every line, with `label`, `left` and `answer`."""
    code = """
import os, sys, time

def answer(code):
    print(code, flush=True)

for line in sys.stdin:
    label, left = line.split()
"""
    body = "\n".join(f"    {line}" for line in does.splitlines())
    return [sys.executable, "-S", "-c", code + body]


SLEEPS = worker("time.sleep(60)")


def test_a_failed_job_does_not_affect_the_others(jobs: list[Job]) -> None:
    finish(jobs[0], ranked(10))  # d exits with 0 but leaves no result, which counts as a failure
    sentences: list[str] = []
    codes = worker(f"answer(dict(a=0, b=3, c={STOPPED}, d=0)[label[-3]])")
    outcome = run_queue(jobs, codes, at_once=3, report=sentences.append)
    assert [job.name for job in outcome.finished] == ["run-a-0"]
    assert {job.name for job in outcome.failed} == {"run-b-0", "run-d-0"}
    assert [job.name for job in outcome.stopped] == ["run-c-0"]
    assert "trial/run-a-0 is done: HR@10 0.2500, NDCG@10 0.2500." in sentences
    assert any("exit code 3" in sentence and str(jobs[1].log_file) in sentence for sentence in sentences)


def test_a_worker_runs_one_job_after_another(jobs: list[Job], tmp_path: Path) -> None:
    for job in jobs:
        finish(job, ranked(10))
    seen = tmp_path / "seen"
    outcome = run_queue(jobs, worker(f"open({str(seen)!r}, 'a').write(f'{{os.getpid()}} {{label}}\\n')\nanswer(0)"))
    lines = [line.split() for line in seen.read_text().splitlines()]
    assert [label for _, label in lines] == [job.label for job in jobs]
    assert len({pid for pid, _ in lines}) == 1
    assert outcome.finished == jobs


def test_a_job_that_ends_its_worker_does_not_affect_the_others(jobs: list[Job]) -> None:
    for job in jobs:
        finish(job, ranked(10))
    outcome = run_queue(jobs, worker("os._exit(9) if label[-3] == 'b' else answer(0)"), at_once=2)
    assert [job.name for job in outcome.failed] == ["run-b-0"]
    assert {job.name for job in outcome.finished} == {"run-a-0", "run-c-0", "run-d-0"}


def test_no_more_jobs_run_at_a_time_than_allowed(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[subprocess.Popen] = []
    most = 0
    real = subprocess.Popen

    def watched(*arguments, **options):
        nonlocal most
        alive.append(real(*arguments, **options))
        most = max(most, sum(process.poll() is None for process in alive))
        return alive[-1]

    monkeypatch.setattr(runs.subprocess, "Popen", watched)
    run_queue(jobs, worker("time.sleep(0.2)\nos._exit(1)"), at_once=2)
    assert len(alive) == 4
    assert most == 2


def test_after_the_deadline_no_job_starts_and_running_ones_are_stopped(jobs: list[Job], tmp_path: Path) -> None:
    began = time.monotonic()
    seen = tmp_path / "seen"
    outcome = run_queue(
        jobs,
        worker(f"open({str(seen)!r}, 'a').write(left + '\\n')\ntime.sleep(60)"),
        at_once=2,
        deadline=time.monotonic() + 5,
    )
    assert time.monotonic() - began < 30
    assert len(outcome.stopped) == 4
    left = [float(line) for line in seen.read_text().splitlines()]
    assert len(left) == 2
    assert all(0 < seconds <= 5 for seconds in left)


def test_an_interruption_leaves_no_process_behind(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []
    real = subprocess.Popen
    monkeypatch.setattr(runs.subprocess, "Popen", lambda *a, **o: started.append(real(*a, **o)) or started[-1])

    def interrupt(sentence: str) -> None:
        if "3 to come" not in sentence:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_queue(jobs, SLEEPS, at_once=2, report=interrupt)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_sigterm_leaves_no_process_behind(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []
    real = subprocess.Popen
    monkeypatch.setattr(runs.subprocess, "Popen", lambda *a, **o: started.append(real(*a, **o)) or started[-1])
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run_queue(jobs, SLEEPS, at_once=2, report=lambda what: os.kill(os.getpid(), signal.SIGTERM))
    assert started
    assert all(process.poll() is not None for process in started)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_log_of_its_first_job_says_why_a_worker_did_not_start(jobs: list[Job]) -> None:
    outcome = run_queue(jobs[:1], [sys.executable, "-S", "-c", "raise SystemExit('no such plan')"])
    assert outcome.failed == jobs[:1]
    assert "no such plan" in jobs[0].log_file.read_text()


def test_idle_workers_have_ended_when_the_queue_returns(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen] = []
    real = subprocess.Popen
    monkeypatch.setattr(runs.subprocess, "Popen", lambda *a, **o: started.append(real(*a, **o)) or started[-1])
    calls = []
    run_queue(jobs, worker("answer(1)"), at_once=3, while_waiting=lambda: calls.append(1))
    assert started
    assert [process.poll() for process in started] == [0] * len(started)
    assert calls
