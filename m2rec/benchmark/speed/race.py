"""The race that the page runs live: M2Rec, SASRec and Mamba4Rec answer longer and longer histories.

A short sibling of `speed.py`, with the same contestants (of the same width, with random weights, on which time does
not depend) and the same turns. It tells each length as soon as it is timed, and ends in time whatever the machine.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from m2rec.benchmark.speed.measure import CATALOGUE, CPU, FEWEST_ROUNDS, WARM_UPS, Effort, answer_times
from m2rec.benchmark.speed.models import contestants
from m2rec.training.machine import device_name

NAMES = ("m2rec", "sasrec", "mamba4rec")
LENGTHS = (50, 100, 200, 500, 1000, 2000, 4000)
SECONDS = 20.0  # for the whole race
SHARE = 0.08  # of it, after which no further round of one length begins


@dataclass(frozen=True)
class Lap:
    """One length: the median time of one answer from scratch, by model, in milliseconds."""

    length: int
    milliseconds: dict[str, float]
    hardware: str


def race(lengths: Sequence[int] = LENGTHS, seconds: float = SECONDS) -> Iterator[Lap]:
    """One lap a length, shortest first, on the GPU where there is one; ends early when the time is up."""
    began = time.perf_counter()
    device = torch.device("cuda") if torch.cuda.is_available() else CPU
    generator = torch.Generator().manual_seed(0)
    effort = Effort(rounds=30, burst=2, seconds=SHARE * seconds)
    models = contestants(CATALOGUE, max(lengths) + 1, device, NAMES)
    for length, following in zip(lengths, [*lengths[1:], None], strict=True):
        with torch.inference_mode():  # not around the loop: it would reach whoever waits for the next lap
            rows = answer_times(models, length, 1, effort, device, torch.get_num_threads(), generator)
        yield Lap(length, {row.model: row.median_ms for row in rows}, device_name(device))
        if following is None:
            return
        turns = effort.burst * (WARM_UPS + FEWEST_ROUNDS)  # the least that the next length takes, were all quadratic
        least = turns * sum(row.median_ms for row in rows) / 1000 * (following / length) ** 2
        if time.perf_counter() - began + max(least, effort.seconds) > seconds:
            return
