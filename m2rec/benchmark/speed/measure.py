"""M2Rec, SASRec and Mamba4Rec compared on the CPU: latency of one answer, answers per second, and peak memory.

Machines are shared and noisy, so the models take turns: in every round, each answers the same few new histories one
at a time, and the order of the models rotates. With one thread, CPU time is recorded as well as wall-clock time; ratios
compare CPU times, which other programs hardly affect. Weights are random: time does not depend on them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from m2rec.benchmark.speed.memory import peak_mib
from m2rec.benchmark.speed.models import M2REC, NAMES, TimedModel, timed_models
from m2rec.benchmark.speed.shapes import Shape
from m2rec.benchmark.speed.training import TrainingSpeed, training_times

SASREC = "sasrec"
WITHOUT_CACHE = f"{SASREC}, without cache"
WARM_UPS = 2  # untimed rounds at the start, in which memory is allocated and kernels are chosen
FEWEST_ROUNDS = 3
CLOCK_RESOLUTION = 1e-5  # seconds; a coarser CPU clock cannot time one answer

CPU = torch.device("cpu")

Task = Callable[[Tensor], Tensor]  # item indices → the best items


@dataclass(frozen=True)
class Workload:
    """What is measured, and how often."""

    lengths: tuple[int, ...] = (50, 200, 1000, 4000)
    live_lengths: tuple[int, ...] = (200, 1000)
    batch_lengths: tuple[int, ...] = (200, 1000)
    threads: tuple[int, ...] = (1, 2)
    batch: int = 32
    rounds: int = 25
    burst: int = 4  # answers of one model in a round
    seconds: float = 8.0  # after these, no further round at one length starts
    names: tuple[str, ...] = NAMES
    training_steps: int = 3  # of each model; 0 leaves training out
    peaks: bool = True  # whether memory is measured


THOROUGH = Workload()
QUICK = Workload(batch_lengths=(), threads=(1,), seconds=5.0, names=("m2rec", "sasrec", "mamba4rec"), training_steps=0)


def without_extras(workload: Workload) -> Workload:
    """A shorter workload for further worlds: latency on one CPU thread, M2Rec and SASRec only."""
    return replace(workload, batch_lengths=(), threads=(1,), names=(M2REC, SASREC), training_steps=0, peaks=False)


@dataclass(frozen=True)
class Row:
    """One model's times for one kind of answer, in milliseconds."""

    what: str  # "answer", "added item" or "batch"
    model: str
    device: str  # "cpu" or "cuda"
    threads: int
    length: int
    batch: int
    answers: int
    median_ms: float
    p95_ms: float
    cpu_ms: float | None  # median CPU time if one thread does all the work, else None

    @property
    def answers_per_second(self) -> float:
        """Throughput at the median time."""
        return 1000 * self.batch / self.median_ms


@dataclass(frozen=True)
class Peak:
    """Peak memory in MiB of tensors and arrays during one answer from scratch, without weights and item tables."""

    model: str
    device: str
    length: int
    mib: float
    batch: int = 1


@dataclass(frozen=True)
class Speed:
    """All figures of one run."""

    rows: list[Row]
    peaks: list[Peak]
    training: list[TrainingSpeed] = field(default_factory=list)

    def ratios(self, what: str = "answer", other: str = SASREC) -> dict[str, float]:
        """CPU time of the other model ÷ M2Rec's on one thread, by history length, where both were timed."""
        m2rec, baseline = self._cpu_ms(what, M2REC), self._cpu_ms(what, other)
        return {str(length): baseline[length] / m2rec[length] for length in sorted(m2rec.keys() & baseline.keys())}

    def growth(self) -> dict[str, float]:
        """The exponent b of a·L^b, fitted to each model's times on one CPU thread: 1 is linear in L, 2 quadratic."""
        found = {}
        for name in dict.fromkeys(row.model for row in self.rows):
            points = self._cpu_ms("answer", name)
            if len(points) > 1:
                slope, _ = np.polyfit(np.log(list(points)), np.log(list(points.values())), 1)
                found[name] = float(slope)
        return found

    def _cpu_ms(self, what: str, model: str) -> dict[int, float]:
        rows = [row for row in self.rows if (row.what, row.model) == (what, model)]
        return {row.length: row.cpu_ms for row in rows if row.cpu_ms is not None}

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON. Ratios are SASRec's time ÷ M2Rec's on one CPU thread: for an answer from scratch, and
        for one more item, with SASRec reading the whole history again ("ratio_of_one_more") or using its cache.
        """
        rows = [vars(row) | {"answers_per_second": row.answers_per_second} for row in self.rows]
        return {
            "ratio_to_sasrec": self.ratios(),
            "ratio_of_one_more": self.ratios("added item", other=WITHOUT_CACHE),
            "ratio_of_one_more_cached": self.ratios("added item"),
            "growth": self.growth(),
            "rows": rows,
            "peaks": [vars(peak) for peak in self.peaks],
            "training": [vars(one) for one in self.training],
        }


def measure(
    shape: Shape, workload: Workload = THOROUGH, seed: int = 0, report: Callable[[str], None] = lambda what: None
) -> Speed:
    """Measure on the CPU. `report` is called with the name of each step."""
    generator = torch.Generator().manual_seed(seed)
    rows: list[Row] = []
    peaks: list[Peak] = []
    longest = max(workload.lengths) + 1
    with torch.inference_mode():
        models = timed_models(shape, longest, CPU, workload.names)
        for threads in workload.threads:
            with computing_on(threads):
                for length in workload.lengths:
                    report(f"{shape.world}: one answer, {length} items, {threads} CPU threads")
                    rows += answer_times(models, shape, length, 1, workload, CPU, threads, generator)
                for length in workload.live_lengths:
                    report(f"{shape.world}: one added item after {length}, {threads} CPU threads")
                    rows += added_item_times(models, shape, length, workload, threads, generator)
        with computing_on(max(workload.threads)):
            for length in workload.batch_lengths:
                report(f"{shape.world}: {workload.batch} answers at once, {length} items")
                size, threads = workload.batch, max(workload.threads)
                rows += answer_times(models, shape, length, size, replace(workload, burst=1), CPU, threads, generator)
        if workload.peaks:
            report(f"{shape.world}: memory")
            for length in workload.lengths:
                peaks += answer_peaks(models, shape, length, 1, CPU, generator)
    training = []
    if workload.training_steps:
        report(f"{shape.world}: training")
        with computing_on(max(workload.threads)):
            training = training_times(shape, CPU, workload.names, workload.training_steps)
    return Speed(rows, peaks, training)


def answer_times(
    models: Sequence[TimedModel],
    shape: Shape,
    length: int,
    batch: int,
    workload: Workload,
    device: torch.device,
    threads: int,
    generator: torch.Generator,
) -> list[Row]:
    """Time answers from scratch to random histories (batch, length)."""

    def make_input() -> Tensor:
        return random_history(batch, length, shape.items, generator).to(device)

    tasks: dict[str, Task] = {model.name: model.answer for model in models}
    what = "answer" if batch == 1 else "batch"
    return _time_in_rotation(what, tasks, make_input, workload, device, threads, length, batch)


def answer_peaks(
    models: Sequence[TimedModel],
    shape: Shape,
    length: int,
    batch: int,
    device: torch.device,
    generator: torch.Generator,
) -> list[Peak]:
    """Peak memory of answers from scratch to a random history (batch, length)."""
    history = random_history(batch, length, shape.items, generator).to(device)
    return [
        Peak(model.name, device.type, length, peak_mib(partial(model.answer, history), device), batch)
        for model in models
    ]


def random_history(batch: int, length: int, items: int, generator: torch.Generator) -> Tensor:
    """Indices of random items, (batch, length)."""
    return torch.randint(1, items + 1, (batch, length), generator=generator)


def added_item_times(
    models: Sequence[TimedModel],
    shape: Shape,
    length: int,
    workload: Workload,
    threads: int,
    generator: torch.Generator,
) -> list[Row]:
    """Time one more item after `length` on the CPU, from a cached state.

    SASRec is also timed without its cache: once its window is full, each new item shifts all positions, which makes the
    cache useless.
    """
    history = random_history(1, length, shape.items, generator)
    tasks = {model.name: model.live(history) for model in models}
    for model in models:
        if model.name == SASREC:
            tasks[WITHOUT_CACHE] = partial(_without_cache, model, history)

    def make_input() -> Tensor:
        return random_history(1, 1, shape.items, generator)[0]

    return _time_in_rotation("added item", tasks, make_input, workload, CPU, threads, length, 1)


@contextmanager
def computing_on(threads: int) -> Iterator[None]:
    """Set the number of threads of PyTorch and NumPy, and restore both afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


def _time_in_rotation(
    what: str,
    tasks: dict[str, Task],
    make_input: Callable[[], Tensor],
    workload: Workload,
    device: torch.device,
    threads: int,
    length: int,
    batch: int,
) -> list[Row]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in tasks}
    names = list(tasks)
    began = time.perf_counter()
    for turn in range(-WARM_UPS, workload.rounds):
        if turn >= FEWEST_ROUNDS and time.perf_counter() - began > workload.seconds:
            break
        inputs = [make_input() for _ in range(workload.burst)]
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            taken = [milliseconds(tasks[name], one, device) for one in inputs]
            if turn >= 0:
                times[name] += taken
    rows = []
    fine_clock = time.get_clock_info("thread_time").resolution <= CLOCK_RESOLUTION
    with_cpu_time = device.type == "cpu" and threads == 1 and fine_clock
    for name, taken_ms in times.items():
        wall, cpu = np.array(taken_ms).T
        median, p95 = (float(value) for value in np.quantile(wall, [0.5, 0.95]))
        cpu_ms = float(np.median(cpu)) if with_cpu_time else None
        rows.append(Row(what, name, device.type, threads, length, batch, len(wall), median, p95, cpu_ms))
    return rows


def milliseconds(task: Task, items: Tensor, device: torch.device) -> tuple[float, float]:
    """Wall-clock time and CPU time of one answer."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    wall, cpu = time.perf_counter(), time.thread_time()
    task(items)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - cpu)


def _without_cache(model: TimedModel, history: Tensor, item: Tensor) -> Tensor:
    return model.answer(torch.cat([history, item[None]], dim=1))
