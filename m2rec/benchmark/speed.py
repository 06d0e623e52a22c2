"""M2Rec, SASRec and Mamba4Rec side by side: how long one answer takes, how many come in a second, what they hold.

Machines are shared and noisy, so the models take turns: in every round each answers the same fresh history once, in an
order that rotates, and medians are compared. Weights are random; time does not depend on them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from m2rec.benchmark.contestants import Contestant, contestants
from m2rec.benchmark.memory import peak_mib
from m2rec.training.machine import device_name

CATALOGUE = 3416  # items of MovieLens-1M after 5-core
OURS, RIVAL = "m2rec", "sasrec"
WARM_UPS = 2  # rounds before the first timed one: memory is allocated and kernels are chosen then
FEWEST_ROUNDS = 3

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
    rounds: int = 100
    seconds: float = 20.0  # after which no further round of one kind begins
    catalogue: int = CATALOGUE


THOROUGH = Effort()
QUICK = Effort(lengths=(50, 200, 1000), live_lengths=(200,), batch_lengths=(), threads=(1,), rounds=30, seconds=4.0)


@dataclass(frozen=True)
class Row:
    """One model's times for one kind of work, in milliseconds."""

    what: str  # "answer", "added item" or "batch"
    model: str
    device: str  # "cpu" or "cuda"
    threads: int
    length: int
    batch: int
    rounds: int
    median_ms: float
    p95_ms: float

    @property
    def answers_per_second(self) -> float:
        """How many answers that makes in a second."""
        return 1000 * self.batch / self.median_ms


@dataclass(frozen=True)
class Peak:
    """MiB of tensors one answer from scratch needs at its worst moment, weights and item tables apart."""

    model: str
    device: str
    length: int
    mib: float


@dataclass(frozen=True)
class Speed:
    """All that one run measured."""

    rows: list[Row]
    peaks: list[Peak]

    def ratios(
        self, what: str = "answer", device: str = "cpu", threads: int = 1, rival: str = RIVAL
    ) -> dict[str, float]:
        """The rival's time ÷ ours at each length where both were timed."""
        kept = [r for r in self.rows if (r.what, r.device, r.threads) == (what, device, threads)]
        ours, theirs = ({r.length: r.median_ms for r in kept if r.model == name} for name in (OURS, rival))
        return {str(length): theirs[length] / ours[length] for length in sorted(ours.keys() & theirs.keys())}

    def growth(self, device: str = "cpu", threads: int = 1) -> dict[str, float]:
        """The b of a·L^b fitted to each model's answers: 1 is linear in the length, 2 quadratic."""
        found = {}
        for name in dict.fromkeys(row.model for row in self.rows):
            points = [
                (row.length, row.median_ms)
                for row in self.rows
                if (row.what, row.model, row.device, row.threads) == ("answer", name, device, threads)
            ]
            if len(points) > 1:
                lengths, times = np.log(np.array(points)).T
                found[name] = float(np.polyfit(lengths, times, 1)[0])
        return found

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
        }


def measure(effort: Effort = THOROUGH, seed: int = 0, told: Callable[[str], None] = lambda what: None) -> Speed:
    """Everything, on the CPU and on a GPU where there is one. `told` hears what is being measured."""
    generator = torch.Generator().manual_seed(seed)
    rows: list[Row] = []
    peaks: list[Peak] = []
    longest = max(effort.lengths) + 1
    with torch.inference_mode():
        models = contestants(effort.catalogue, longest, CPU)
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
            models = contestants(effort.catalogue, longest, card)
            for batch, lengths in ((1, effort.lengths), (effort.batch_cuda, effort.batch_lengths)):
                for length in lengths:
                    told(f"{batch} answers at once, {length} items, {device_name(card)}")
                    rows += answer_times(models, length, batch, effort, card, torch.get_num_threads(), generator)
            peaks += _peaks(models, effort, card, generator)
    return Speed(rows, peaks)


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
    times: dict[str, list[float]] = {name: [] for name in jobs}
    names = list(jobs)
    began = time.perf_counter()
    for turn in range(-WARM_UPS, effort.rounds):
        if turn >= FEWEST_ROUNDS and time.perf_counter() - began > effort.seconds:
            break
        asked = question()
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            taken = _milliseconds(jobs[name], asked, device)
            if turn >= 0:
                times[name].append(taken)
    rows = []
    for name, taken_ms in times.items():
        median, p95 = np.quantile(taken_ms, [0.5, 0.95])
        rows.append(Row(what, name, device.type, threads, length, batch, len(taken_ms), float(median), float(p95)))
    return rows


def _milliseconds(job: Job, asked: Tensor, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    job(asked)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return 1000 * (time.perf_counter() - began)


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
