"""M2Rec, SASRec and Mamba4Rec side by side: how long one answer takes, how many come in a second, what they hold.

Machines are shared and noisy, so the models take turns: in every round each answers the same few fresh histories, one
after another as a server does, in an order that rotates. On one thread the processor's own time is noted too, and
ratios compare that: other programs make an answer wait, but they hardly make it work longer. Weights are random; time
does not depend on them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from m2rec.benchmark.speed.memory import peak_mib
from m2rec.benchmark.speed.models import NAMES, Contestant, contestants
from m2rec.benchmark.speed.training import Learning, learning_times
from m2rec.training.machine import device_name

CATALOGUE = 3416  # items of MovieLens-1M after 5-core
OURS, RIVAL = "m2rec", "sasrec"
WARM_UPS = 2  # rounds before the first timed one: memory is allocated and kernels are chosen then
FEWEST_ROUNDS = 3
FINE = 1e-5  # seconds: a coarser clock of the processor's time says nothing about one answer

CPU = torch.device("cpu")

Job = Callable[[Tensor], Tensor]  # a question in, the best items out


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    lengths: tuple[int, ...] = (50, 200, 1000, 4000)
    live_lengths: tuple[int, ...] = (200, 1000)
    batch_lengths: tuple[int, ...] = (200, 1000)
    threads: tuple[int, ...] = (1, 2)
    batch_cpu: int = 128
    batch_cuda: int = 2048
    rounds: int = 25
    burst: int = 4  # answers of one model in a round
    seconds: float = 20.0  # after which no further round of one kind begins
    catalogue: int = CATALOGUE
    names: tuple[str, ...] = NAMES
    training_steps: int = 3  # of each model; 0: training is not timed


THOROUGH = Effort()
QUICK = Effort(batch_lengths=(), threads=(1,), seconds=5.0, names=("m2rec", "sasrec", "mamba4rec"), training_steps=0)


@dataclass(frozen=True)
class Row:
    """One model's times for one kind of work, in milliseconds."""

    what: str  # "answer", "added item" or "batch"
    model: str
    device: str  # "cpu" or "cuda"
    threads: int
    length: int
    batch: int
    answers: int
    median_ms: float
    p95_ms: float
    busy_ms: float | None  # median of the processor's own time, where one thread does all the work

    @property
    def answers_per_second(self) -> float:
        """How many answers that makes in a second."""
        return 1000 * self.batch / self.median_ms


@dataclass(frozen=True)
class Peak:
    """MiB of tensors and arrays one answer from scratch needs at its worst moment, weights and item tables apart."""

    model: str
    device: str
    length: int
    mib: float


@dataclass(frozen=True)
class Speed:
    """All that one run measured."""

    rows: list[Row]
    peaks: list[Peak]
    learning: list[Learning] = field(default_factory=list)

    def ratios(self, what: str = "answer", rival: str = RIVAL) -> dict[str, float]:
        """The rival's time on one CPU thread ÷ ours, at each length where both were timed."""
        ours, theirs = self._busy(what, OURS), self._busy(what, rival)
        return {str(length): theirs[length] / ours[length] for length in sorted(ours.keys() & theirs.keys())}

    def growth(self) -> dict[str, float]:
        """The b of a·L^b fitted to each model's answers on one CPU thread: 1 is linear in the length, 2 quadratic."""
        found = {}
        for name in dict.fromkeys(row.model for row in self.rows):
            points = self._busy("answer", name)
            if len(points) > 1:
                slope, _ = np.polyfit(np.log(list(points)), np.log(list(points.values())), 1)
                found[name] = float(slope)
        return found

    def _busy(self, what: str, model: str) -> dict[int, float]:
        rows = [row for row in self.rows if (row.what, row.model) == (what, model)]
        return {row.length: row.busy_ms for row in rows if row.busy_ms is not None}

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON; `ratio_to_sasrec` is one answer from scratch on one CPU thread."""
        rows = [vars(row) | {"answers_per_second": row.answers_per_second} for row in self.rows]
        return {
            "ratio_to_sasrec": self.ratios(),
            "ratio_to_sasrec_added_item": {
                "read anew": self.ratios("added item", rival=f"{RIVAL}, read anew"),
                "cached": self.ratios("added item"),
            },
            "growth": self.growth(),
            "rows": rows,
            "peaks": [vars(peak) for peak in self.peaks],
            "training": [vars(one) for one in self.learning],
        }


def measure(effort: Effort = THOROUGH, seed: int = 0, told: Callable[[str], None] = lambda what: None) -> Speed:
    """Everything, on the CPU and on a GPU where there is one. `told` hears what is being measured."""
    generator = torch.Generator().manual_seed(seed)
    rows: list[Row] = []
    peaks: list[Peak] = []
    longest = max(effort.lengths) + 1
    with torch.inference_mode():
        models = contestants(effort.catalogue, longest, CPU, effort.names)
        for threads in effort.threads:
            with computing_on(threads):
                for length in effort.lengths:
                    told(f"one answer, {length} items, {threads} CPU threads")
                    rows += answer_times(models, length, 1, effort, CPU, threads, generator)
                for length in effort.live_lengths:
                    told(f"one added item after {length}, {threads} CPU threads")
                    rows += added_item_times(models, length, effort, threads, generator)
        with computing_on(max(effort.threads)):
            for length in effort.batch_lengths:
                told(f"{effort.batch_cpu} answers at once, {length} items")
                rows += answer_times(models, length, effort.batch_cpu, effort, CPU, max(effort.threads), generator)
        told("memory")
        peaks += _peaks(models, effort, CPU, generator)
        if torch.cuda.is_available():
            card = torch.device("cuda")
            models = contestants(effort.catalogue, longest, card, effort.names)
            for batch, lengths in ((1, effort.lengths), (effort.batch_cuda, effort.batch_lengths)):
                for length in lengths:
                    told(f"{batch} answers at once, {length} items, {device_name(card)}")
                    try:
                        rows += answer_times(models, length, batch, effort, card, torch.get_num_threads(), generator)
                    except torch.OutOfMemoryError:  # the others of this length would not be compared with anything
                        torch.cuda.empty_cache()
                        told("left out: the card's memory does not hold so many")
            peaks += _peaks(models, effort, card, generator)
    learning = []
    if effort.training_steps:
        for device in [CPU] + [torch.device("cuda")] * torch.cuda.is_available():
            told(f"training, {device_name(device)}")
            with computing_on(max(effort.threads)):
                learning += learning_times(effort.catalogue, device, effort.names, effort.training_steps)
    return Speed(rows, peaks, learning)


def answer_times(
    models: Sequence[Contestant],
    length: int,
    batch: int,
    effort: Effort,
    device: torch.device,
    threads: int,
    generator: torch.Generator,
) -> list[Row]:
    """Answers from scratch to random histories (batch, length), the models taking turns."""

    def question() -> Tensor:
        return _history(batch, length, effort.catalogue, generator).to(device)

    jobs: dict[str, Job] = {model.name: model.answer for model in models}
    what = "answer" if batch == 1 else "batch"
    return _take_turns(what, jobs, question, effort, device, threads, length, batch)


def added_item_times(
    models: Sequence[Contestant], length: int, effort: Effort, threads: int, generator: torch.Generator
) -> list[Row]:
    """One more item after `length`, on the CPU: by cached state, and for SASRec also by reading everything anew.

    A window that is full moves on with every item, and then SASRec's cache is worth nothing; so both are given.
    """
    history = _history(1, length, effort.catalogue, generator)
    jobs = {model.name: model.live(history) for model in models}
    for model in models:
        if model.name == RIVAL:
            jobs[f"{RIVAL}, read anew"] = partial(_read_anew, model, history)

    def question() -> Tensor:
        return _history(1, 1, effort.catalogue, generator)[0]

    return _take_turns("added item", jobs, question, effort, CPU, threads, length, 1)


@contextmanager
def computing_on(threads: int) -> Iterator[None]:
    """So many threads inside, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _take_turns(
    what: str,
    jobs: dict[str, Job],
    question: Callable[[], Tensor],
    effort: Effort,
    device: torch.device,
    threads: int,
    length: int,
    batch: int,
) -> list[Row]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    names = list(jobs)
    began = time.perf_counter()
    for turn in range(-WARM_UPS, effort.rounds):
        if turn >= FEWEST_ROUNDS and time.perf_counter() - began > effort.seconds:
            break
        asked = [question() for _ in range(effort.burst)]
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            taken = [_milliseconds(jobs[name], one, device) for one in asked]
            if turn >= 0:
                times[name] += taken
    rows = []
    alone = device.type == "cpu" and threads == 1 and time.get_clock_info("thread_time").resolution <= FINE
    for name, taken_ms in times.items():
        wall, busy = np.array(taken_ms).T
        median, p95 = (float(value) for value in np.quantile(wall, [0.5, 0.95]))
        worked = float(np.median(busy)) if alone else None
        rows.append(Row(what, name, device.type, threads, length, batch, len(wall), median, p95, worked))
    return rows


def _milliseconds(job: Job, asked: Tensor, device: torch.device) -> tuple[float, float]:
    """Until the answer is there: by the clock on the wall, and of this thread's work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    wall, busy = time.perf_counter(), time.thread_time()
    job(asked)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - busy)


def _peaks(
    models: Sequence[Contestant], effort: Effort, device: torch.device, generator: torch.Generator
) -> list[Peak]:
    found = []
    for length in effort.lengths:
        asked = _history(1, length, effort.catalogue, generator).to(device)
        found += [Peak(m.name, device.type, length, peak_mib(partial(m.answer, asked), device)) for m in models]
    return found


def _read_anew(model: Contestant, history: Tensor, item: Tensor) -> Tensor:
    return model.answer(torch.cat([history, item[None]], dim=1))


def _history(batch: int, length: int, items: int, generator: torch.Generator) -> Tensor:
    return torch.randint(1, items + 1, (batch, length), generator=generator)
