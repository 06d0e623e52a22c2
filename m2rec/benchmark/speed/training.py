"""Training time: a few steps of each model in turn, and how long an epoch would take.

Steps are as in `m2rec/training/epoch.py`, with the training settings of the shape's world, on random windows in which
every position is a target.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from m2rec.benchmark.speed.models import modules
from m2rec.benchmark.speed.shapes import Shape
from m2rec.training.optimizer import make_optimizer
from m2rec.training.settings import TrainingSettings
from m2rec.worlds.settings import load_world

EPOCH = 1_000_000  # targets, about an epoch of MovieLens-1M
POSITIONS_ON_CPU = 3200  # in a batch at most: the plain scan needs much memory for the backward pass


@dataclass(frozen=True)
class TrainingSpeed:
    """One model's training on one device."""

    model: str
    device: str  # "cpu" or "cuda"
    threads: int
    batch: int  # windows
    length: int  # of each
    step_ms: float  # median
    seconds_per_million: float  # seconds for a million targets


def training_times(
    shape: Shape, device: torch.device, names: Sequence[str], steps: int, warm_ups: int = 1
) -> list[TrainingSpeed]:
    """Time `steps` steps of each model after `warm_ups` untimed ones."""
    length, training = shape.settings.max_length, load_world(shape.world).training
    most = max(1, POSITIONS_ON_CPU // length) if device.type == "cpu" else training.batch_size
    batch = min(training.batch_size, most)
    models = {name: made.to(device).train() for name, made in modules(shape, length, names).items()}
    optimizers = {name: make_optimizer(made, training) for name, made in models.items()}
    generator = torch.Generator().manual_seed(0)
    taken: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(-warm_ups, steps):
        items = torch.randint(1, shape.items + 1, (batch, length + 1), generator=generator).to(device)
        for name, model in models.items():
            seconds = _step(model, optimizers[name], items, training, device)
            if turn >= 0:
                taken[name].append(seconds)
    found = []
    for name, times in taken.items():
        step = float(np.median(times))
        pace = step / (batch * length) * EPOCH
        found.append(TrainingSpeed(name, device.type, torch.get_num_threads(), batch, length, 1000 * step, pace))
    return found


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    items: torch.Tensor,
    training: TrainingSettings,
    device: torch.device,
) -> float:
    """The time of one step on windows (B, L + 1), in seconds."""
    _finish(device)
    began = time.perf_counter()
    low = training.precision == "bf16" or (training.precision == "auto" and device.type == "cuda")
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
        loss = model(items[:, :-1], items[:, 1:], training.branch_loss)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), training.clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    _finish(device)
    return time.perf_counter() - began


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
