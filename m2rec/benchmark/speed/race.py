"""The race on the page: M2Rec, SASRec and Mamba4Rec answer histories of growing length.

A short version of `measure.py` with the same models in the same turns. It yields each length as soon as it is timed,
and keeps to a time limit.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from m2rec.benchmark.speed.shapes import Shape

NAMES = ("m2rec", "sasrec", "mamba4rec")
LENGTHS = (50, 100, 200, 500, 1000, 2000, 4000)
SECONDS = 20.0  # for the whole race
LENGTH_FRACTION = 0.08  # of SECONDS; after these, no further round at one length starts


@dataclass(frozen=True)
class Lap:
    """One length: the median time of one answer from scratch, by model, in milliseconds."""

    length: int
    milliseconds: dict[str, float]
    hardware: str


def race(shape: Shape, lengths: Sequence[int] = LENGTHS, seconds: float = SECONDS) -> Iterator[Lap]:
    """Time each length, shortest first, on the GPU if there is one. Stops before a length that would exceed `seconds`.

    `shape` gives the sizes of a world's network and catalogue.
    """
    # imported late: the page needs LENGTHS and Lap before it needs torch
    import torch

    from m2rec.benchmark.speed.models import timed_models
    from m2rec.benchmark.speed.turns import CPU, FEWEST_ROUNDS, WARM_UPS, Turns, Workload
    from m2rec.training.machine import device_name

    began = time.perf_counter()
    device = torch.device("cuda") if torch.cuda.is_available() else CPU
    workload = Workload(rounds=30, burst=2, seconds=LENGTH_FRACTION * seconds)
    models = timed_models(shape, max(lengths) + 1, device, NAMES)
    turns = Turns(models, shape.items, torch.Generator().manual_seed(0), device)
    for length, following in zip(lengths, [*lengths[1:], None], strict=True):
        with torch.inference_mode():  # not around the loop: the mode would stay on after a yield
            rows = turns.answer_times(length, 1, workload)
        yield Lap(length, {row.model: row.median_ms for row in rows}, device_name(device))
        if following is None:
            return
        answers = workload.burst * (WARM_UPS + FEWEST_ROUNDS)  # assuming quadratic time for the next length
        least = answers * sum(row.median_ms for row in rows) / 1000 * (following / length) ** 2
        if time.perf_counter() - began + max(least, workload.seconds) > seconds:
            return
