"""Models that answer in turns: times and memory of one kind of answer at a time.

Machines are shared and noisy, so in every round each model answers the same few new histories one at a time, and the
order of the models rotates. With one thread, CPU time is recorded as well as wall-clock time.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from m2rec.benchmark.speed.memory import peak_mib
from m2rec.benchmark.speed.models import NAMES, TimedModel

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
class Turns:
    """Models that take turns on one device, with as many threads as PyTorch has at the time."""

    models: Sequence[TimedModel]
    items: int  # of the catalogue
    generator: torch.Generator  # of the random histories
    device: torch.device = CPU

    def history(self, batch: int, length: int) -> Tensor:
        """Indices of random items, (batch, length)."""
        return torch.randint(1, self.items + 1, (batch, length), generator=self.generator).to(self.device)

    def answer_times(self, length: int, batch: int, workload: Workload) -> list[Row]:
        """Time answers from scratch to random histories (batch, length)."""
        tasks: dict[str, Task] = {model.name: model.answer for model in self.models}
        what = "answer" if batch == 1 else "batch"
        return self._times(what, tasks, partial(self.history, batch, length), workload, length, batch)

    def answer_peaks(self, length: int, batch: int) -> list[Peak]:
        """Peak memory of answers from scratch to a random history (batch, length)."""
        history = self.history(batch, length)
        return [
            Peak(model.name, self.device.type, length, peak_mib(partial(model.answer, history), self.device), batch)
            for model in self.models
        ]

    def added_item_times(self, length: int, workload: Workload) -> list[Row]:
        """Time one more item after `length`, from a cached state.

        SASRec is also timed without its cache: once its window is full, each new item shifts all positions, which
        makes the cache useless.
        """
        history = self.history(1, length)
        tasks = {model.name: model.live(history) for model in self.models}
        for model in self.models:
            if model.name == SASREC:
                tasks[WITHOUT_CACHE] = partial(_without_cache, model, history)
        return self._times("added item", tasks, lambda: self.history(1, 1)[0], workload, length, 1)

    def _times(
        self,
        what: str,
        tasks: dict[str, Task],
        make_input: Callable[[], Tensor],
        workload: Workload,
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
                taken = [milliseconds(tasks[name], one, self.device) for one in inputs]
                if turn >= 0:
                    times[name] += taken
        rows = []
        threads = torch.get_num_threads()
        fine_clock = time.get_clock_info("thread_time").resolution <= CLOCK_RESOLUTION
        with_cpu_time = self.device.type == "cpu" and threads == 1 and fine_clock
        for name, taken_ms in times.items():
            wall, cpu = np.array(taken_ms).T
            median, p95 = (float(value) for value in np.quantile(wall, [0.5, 0.95]))
            cpu_ms = float(np.median(cpu)) if with_cpu_time else None
            rows.append(Row(what, name, self.device.type, threads, length, batch, len(wall), median, p95, cpu_ms))
        return rows


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
