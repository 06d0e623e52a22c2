"""Time on one CPU thread and memory of an answer from a large catalogue, such as a million items.

Vectors are random and have the same width for all worlds; their values do not affect the time. The answer is exact: the
ten most probable of all items, with the three branches' contributions, from a history that is read from its start.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import psutil
import torch

from m2rec.benchmark.speed.memory import peak_mib
from m2rec.benchmark.speed.models import ten_best
from m2rec.benchmark.speed.shapes import Shape
from m2rec.benchmark.speed.turns import computing_on
from m2rec.inference.engine import InferenceEngine, as_arrays
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec

LENGTH = 200  # items of the history
WIDTH = 64  # of the random vectors; reading them once takes most of the time
FEW = 997  # items of a network whose item arrays are then extended; no other array has this many rows
SCALE = 0.1  # of the random vectors
WARM_UPS = 2


@dataclass(frozen=True)
class LargeCatalogue:
    """Times in milliseconds and memory in MiB for one world's network with `items` items."""

    world: str
    items: int
    width: int
    length: int
    answers: int
    read_ms: float  # median, of reading the history
    median_ms: float  # of the whole answer
    p95_ms: float
    cpu_ms: float  # median CPU time of the whole answer; other programs hardly affect it
    engine_mib: float  # held by the engine for all answers
    answer_mib: float  # additional peak of one answer


def large_catalogue_times(shape: Shape, items: int, answers: int, seed: int = 0) -> LargeCatalogue:
    """Time `answers` answers of a network of this shape over a random catalogue of `items` items."""
    rng = np.random.default_rng(seed)
    process = psutil.Process()
    before = process.memory_info().rss
    engine = _engine(replace(shape, items=items, warm_items=items), rng)
    held = (process.memory_info().rss - before) / 2**20
    whole, cpu, read = [], [], []
    with computing_on(1):
        for turn in range(-WARM_UPS, answers):
            history = rng.integers(1, items + 1, LENGTH).tolist()
            answered = _milliseconds(partial(ten_best, engine, history))
            reading = _milliseconds(partial(engine.last, history))
            if turn >= 0:
                whole.append(answered[0])
                cpu.append(answered[1])
                read.append(reading[0])
        answer = peak_mib(partial(ten_best, engine, history), torch.device("cpu"))
    median, p95 = (float(value) for value in np.quantile(whole, [0.5, 0.95]))
    width = engine.config.width
    read_ms, cpu_ms = float(np.median(read)), float(np.median(cpu))
    return LargeCatalogue(shape.world, items, width, LENGTH, answers, read_ms, median, p95, cpu_ms, held, answer)


def _engine(shape: Shape, rng: np.random.Generator) -> InferenceEngine:
    """An engine with random weights and `shape.items` items. The network is made small and its item arrays extended."""
    settings = shape.settings.model_dump() | {"width": WIDTH}
    few = ModelConfig(**settings, items=FEW, warm_items=FEW, text_width=WIDTH)
    torch.manual_seed(0)
    weights = as_arrays(M2Rec(few, torch.randn(FEW + 1, few.text_width)).state_dict())
    for name, array in weights.items():
        if array.shape[:1] in ((FEW,), (FEW + 1,)):
            rows = array.shape[0] - FEW + shape.items  # some arrays have a row for padding
            weights[name] = rng.standard_normal((rows, *array.shape[1:]), dtype=np.float32)
            weights[name] *= SCALE
            weights[name][: array.shape[0] - FEW] = 0
    config = few.model_copy(update={"items": shape.items, "warm_items": shape.items})
    return InferenceEngine(config, weights, cache_bytes=0)


def _milliseconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock time, and CPU time of this thread."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - cpu)
