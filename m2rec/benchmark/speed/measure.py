"""M2Rec, SASRec and Mamba4Rec compared on the CPU: latency of one answer, answers per second, and peak memory.

Ratios compare CPU times, which other programs on the machine hardly affect. Weights are random: time does not depend on
them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from m2rec.benchmark.speed.models import M2REC, timed_models
from m2rec.benchmark.speed.shapes import Shape
from m2rec.benchmark.speed.training import TrainingSpeed, training_times
from m2rec.benchmark.speed.turns import CPU, SASREC, WITHOUT_CACHE, Peak, Row, Turns, Workload, computing_on

THOROUGH = Workload()
QUICK = Workload(batch_lengths=(), threads=(1,), seconds=5.0, names=("m2rec", "sasrec", "mamba4rec"), training_steps=0)


def without_extras(workload: Workload) -> Workload:
    """A shorter workload for further worlds: latency on one CPU thread, M2Rec and SASRec only."""
    return replace(workload, batch_lengths=(), threads=(1,), names=(M2REC, SASREC), training_steps=0, peaks=False)


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
    rows: list[Row] = []
    peaks: list[Peak] = []
    longest = max(workload.lengths) + 1
    with torch.inference_mode():
        models = timed_models(shape, longest, CPU, workload.names)
        turns = Turns(models, shape.items, torch.Generator().manual_seed(seed))
        for threads in workload.threads:
            with computing_on(threads):
                for length in workload.lengths:
                    report(f"{shape.world}: one answer, {length} items, {threads} CPU threads")
                    rows += turns.answer_times(length, 1, workload)
                for length in workload.live_lengths:
                    report(f"{shape.world}: one added item after {length}, {threads} CPU threads")
                    rows += turns.added_item_times(length, workload)
        with computing_on(max(workload.threads)):
            for length in workload.batch_lengths:
                report(f"{shape.world}: {workload.batch} answers at once, {length} items")
                rows += turns.answer_times(length, workload.batch, replace(workload, burst=1))
        if workload.peaks:
            report(f"{shape.world}: memory")
            for length in workload.lengths:
                peaks += turns.answer_peaks(length, 1)
    training = []
    if workload.training_steps:
        report(f"{shape.world}: training")
        with computing_on(max(workload.threads)):
            training = training_times(shape, CPU, workload.names, workload.training_steps)
    return Speed(rows, peaks, training)
