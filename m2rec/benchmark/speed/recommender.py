"""Latency of `recommend()` and of a live history on one CPU thread, one history at a time, as on the page."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from m2rec.benchmark.speed.turns import computing_on
from m2rec.recommend.recommender import Recommender
from m2rec.training.machine import device_name

Question = TypeVar("Question")

# what is timed, as named in the tables
SCRATCH = "recommend(), all shares and the gate's history"
ONE_MORE = "the same after one more item"
SPECTRUM = "from scratch, with the spectrum and its band"
LIVE = "one more item on a live history"

WARM_UPS = 3  # untimed answers at the start, in which memory is allocated


@dataclass(frozen=True)
class Timing:
    """Wall-clock times of one kind of answer, in milliseconds."""

    what: str
    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class ServingTimes:
    """The times of all kinds of answers, for one world on one machine."""

    world: str
    items: int  # in the catalogue
    length: int  # of the history
    repeats: int
    hardware: str
    rows: list[Timing]


def time_serving(recommender: Recommender, length: int, repeats: int, seed: int = 0) -> ServingTimes:
    """Time each kind of answer `repeats` times, on random histories of `length` items."""
    rng = np.random.default_rng(seed)
    ids = [item.item_id for item in recommender.items]

    def history() -> list[str]:
        return [ids[row] for row in rng.integers(len(ids), size=length)]

    def grown_history() -> list[str]:
        """A history that was already answered without its last item, as after a click."""
        grown = history()
        if length > 1:
            recommender.recommend(grown[:-1], spectrum=False)
        return grown

    def one_item() -> str:
        return ids[rng.integers(len(ids))]

    with computing_on(1):
        live = recommender.start(history())
        rows = [
            _timed(SCRATCH, lambda asked: recommender.recommend(asked, spectrum=False), history, repeats),
            _timed(ONE_MORE, lambda asked: recommender.recommend(asked, spectrum=False), grown_history, repeats),
            _timed(SPECTRUM, recommender.recommend, history, repeats),
            _timed(LIVE, live.add, one_item, repeats),
        ]
        hardware = device_name(torch.device("cpu"))
    return ServingTimes(recommender.name, len(ids), length, repeats, hardware, rows)


def _timed(what: str, answer: Callable[[Question], object], ask: Callable[[], Question], repeats: int) -> Timing:
    times = []
    for turn in range(WARM_UPS + repeats):
        asked = ask()
        began = time.perf_counter()
        answer(asked)
        if turn >= WARM_UPS:
            times.append(1000 * (time.perf_counter() - began))
    median, p95 = np.quantile(times, [0.5, 0.95])
    return Timing(what, float(median), float(p95))
