"""The models of `measure.py` on a GPU alone, within a minute: many answers at once, one answer, memory and training.

A GPU is often rented for minutes. So the figures so far are handed over after every step, and a model that fails or is
too slow is left out of a step, with the reason, instead of ending the run. Times are wall-clock times. Answers are
computed in float32, and training steps as the world's settings say.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from m2rec.benchmark.speed.models import M2REC, TimedModel, timed_models
from m2rec.benchmark.speed.shapes import Shape
from m2rec.benchmark.speed.training import TrainingSpeed, training_times
from m2rec.benchmark.speed.turns import SASREC, Peak, Row, Turns, Workload, milliseconds

ON_GPU = Workload(
    lengths=(200, 1000, 4000),
    live_lengths=(),
    threads=(),
    batch=2048,
    seconds=2.0,
    training_steps=20,
)
GOALS = {200: 1.2, 1000: 2.0}  # M2Rec's answers per second ÷ SASRec's in batches, by history length
COMPARED = (M2REC, SASREC)  # all models get a smaller batch if it does not fit these; others are left out
SLOWEST = 1000.0  # milliseconds; other models that take longer for one batch are left out
TRAINING_WARM_UPS = 5
NO_MEMORY = "not enough memory"


@dataclass(frozen=True)
class LeftOut:
    """A model without a figure in one step, and why."""

    what: str  # "answer", "batch" or "training"
    model: str
    length: int
    batch: int
    why: str


@dataclass
class GpuSpeed:
    """The figures so far."""

    rows: list[Row] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)
    training: list[TrainingSpeed] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def ratios(self, what: str) -> dict[str, float]:
        """SASRec's median time ÷ M2Rec's for an "answer" or a "batch", by history length, where both were timed."""
        m2rec, sasrec = (
            {row.length: row.median_ms for row in self.rows if (row.what, row.model) == (what, name)}
            for name in COMPARED
        )
        return {str(length): sasrec[length] / m2rec[length] for length in sorted(m2rec.keys() & sasrec.keys())}

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON."""
        throughput = self.ratios("batch")
        reached = {length: throughput[str(length)] for length in GOALS if str(length) in throughput}
        return {
            "ratio_to_sasrec": self.ratios("answer"),
            "throughput_to_sasrec": throughput,
            "goals": [
                {"length": length, "goal": GOALS[length], "ratio": ratio, "met": ratio >= GOALS[length]}
                for length, ratio in reached.items()
            ],
            "rows": [vars(row) | {"answers_per_second": row.answers_per_second} for row in self.rows],
            "peaks": [vars(peak) for peak in self.peaks],
            "training": [vars(one) for one in self.training],
            "left_out": [vars(one) for one in self.left_out],
        }


def measure_gpu(
    shape: Shape,
    device: torch.device,
    workload: Workload = ON_GPU,
    seed: int = 0,
    report: Callable[[str], None] = lambda what: None,
    save: Callable[[GpuSpeed], None] = lambda found: None,
) -> GpuSpeed:
    """Measure all models on `device`.

    `report` is called with the name of each step before it, and `save` with all figures so far after it. A CPU as
    `device` runs the same code, for tests.
    """
    found = GpuSpeed()
    many = replace(workload, burst=1)
    with torch.inference_mode():
        models = timed_models(shape, max(workload.lengths) + 1, device, workload.names, by_engine=False)
        turns = Turns(models, shape.items, torch.Generator().manual_seed(seed), device)
        steps = [(workload.batch, length, many) for length in workload.batch_lengths]
        steps += [(1, length, workload) for length in workload.lengths]
        for batch, length, repeats in steps:
            what = "one answer" if batch == 1 else f"{batch} answers at once"
            report(f"{shape.world}: {what}, {length} items")
            _answers(found, turns, length, batch, repeats)
            save(found)
    del models, turns
    _free(device)
    for name in workload.names if workload.training_steps else ():
        report(f"{shape.world}: training of {name}")
        why = _failure(partial(_train, found, shape, device, name, workload.training_steps))
        if why:
            found.left_out.append(LeftOut("training", name, shape.settings.max_length, 0, why))
        _free(device)
        save(found)
    return found


def fitting(turns: Turns, length: int, batch: int) -> tuple[Turns, int, list[LeftOut]]:
    """The models that answer a batch in time, the size of the batch, and the other models.

    The batch is halved until it fits M2Rec and SASRec.
    """
    while True:
        items = turns.history(batch, length)
        kept, left = [], []
        for model in turns.models:
            why = _failure(partial(_in_time, model, items, turns.device))
            _free(turns.device)
            if why == NO_MEMORY and model.name in COMPARED and batch > 1:
                break
            if why:
                left.append(LeftOut("answer" if batch == 1 else "batch", model.name, length, batch, why))
            else:
                kept.append(model)
        else:
            return replace(turns, models=kept), batch, left
        batch //= 2


def _answers(found: GpuSpeed, turns: Turns, length: int, batch: int, repeats: Workload) -> None:
    """Time one kind of answer and measure its memory, for all models that can give it."""
    what = "answer" if batch == 1 else "batch"
    kept, size, left = fitting(turns, length, batch)
    found.left_out += left

    def measure() -> None:
        rows = kept.answer_times(length, size, repeats)
        found.rows += [replace(row, what=what) for row in rows]  # also where only one answer fits at once
        found.peaks += kept.answer_peaks(length, size)

    why = _failure(measure) if kept.models else ""
    if why:
        found.left_out += [LeftOut(what, model.name, length, size, why) for model in kept.models]
    _free(turns.device)


def _in_time(model: TimedModel, items: torch.Tensor, device: torch.device) -> str:
    """Why the model cannot be timed with this batch, or "". The first answer also chooses kernels."""
    first, _ = milliseconds(model.answer, items, device)
    taken = first if first > 5 * SLOWEST else milliseconds(model.answer, items, device)[0]
    slow = taken > SLOWEST and model.name not in COMPARED
    return f"takes {taken / 1000:.1f} s" if slow else ""


def _train(found: GpuSpeed, shape: Shape, device: torch.device, name: str, steps: int) -> str:
    found.training += training_times(shape, device, [name], steps, TRAINING_WARM_UPS)
    return ""


def _failure(work: Callable[[], str | None]) -> str:
    """What `work` returns, or why it failed."""
    try:
        return work() or ""
    except torch.OutOfMemoryError:
        return NO_MEMORY
    except RuntimeError as error:  # CUDA's libraries raise it too when they cannot allocate their workspace
        return NO_MEMORY if "ALLOC_FAILED" in str(error) else str(error).partition("\n")[0]


def _free(device: torch.device) -> None:
    """Give cached memory back: what one model needs should not depend on what another one has left."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
