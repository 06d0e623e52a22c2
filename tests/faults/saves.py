"""Everything that is saved, in two distinguishable versions: what is killed and run out of disk in the tests."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from m2rec.checkpoint import Checkpoint
from m2rec.commands.embed import _write
from m2rec.commands.output import show
from m2rec.data.market.generate import generate
from m2rec.data.market.market import Market
from m2rec.data.market.settings import MarketSettings
from m2rec.data.prepared import Prepared
from m2rec.data.vector_cache import VectorCache
from m2rec.evaluation.report import MetricsFile, read_metrics, write_metrics
from m2rec.training.resume import Progress, load_progress, save_progress
from tests.tiny_world import tiny_checkpoint
from tests.training.small import small_model, small_prepared


@dataclass(frozen=True)
class Saved:
    """`save(place, version)` writes version 0 or 1; `read(place)` gives the version that is there, or raises."""

    save: Callable[[Path, int], object]
    read: Callable[[Path], int]


def checkpoint() -> Saved:
    """A world's folder."""
    whole = tiny_checkpoint()
    versions = [
        replace(whole, weights={name: tensor + step for name, tensor in whole.weights.items()}, card=f"card {step}")
        for step in (0, 1)
    ]

    def read(place: Path) -> int:
        found = Checkpoint.load(place)
        version = int(found.card.removeprefix("card "))
        assert all(np.array_equal(found.weights[name], versions[version].weights[name]) for name in found.weights)
        return version

    return Saved(lambda place, version: versions[version].save(place), read)


def prepared() -> Saved:
    """What `prepare` makes."""
    versions = [small_prepared(users) for users in (40, 60)]

    def read(place: Path) -> int:
        return [len(one.user_ids) for one in versions].index(len(Prepared.load(place).user_ids))

    return Saved(lambda place, version: versions[version].save(place), read)


def market() -> Saved:
    """The made-up market in the cache."""
    versions = [generate(MarketSettings(customers=customers)) for customers in (20, 30)]

    def read(place: Path) -> int:
        return [one.settings.customers for one in versions].index(Market.load(place).settings.customers)

    return Saved(lambda place, version: versions[version].save(place), read)


def training() -> Saved:
    """The state that a killed run goes on from."""
    model = small_model()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.tensor([[1, 2, 3]]), torch.tensor([[2, 3, 4]])).sum().backward()
    optimizer.step()
    best = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def save(place: Path, version: int) -> None:
        save_progress(place, Progress(key="run", best_epoch=version), model, best, optimizer)

    def read(place: Path) -> int:
        fresh = small_model()
        progress, _ = load_progress(place, Progress(key="run"), fresh, torch.optim.AdamW(fresh.parameters()))
        return progress.best_epoch

    return Saved(save, read)


def metrics() -> Saved:
    """A checkpoint's figures."""

    def save(place: Path, version: int) -> None:
        place.mkdir(exist_ok=True)
        write_metrics(place, MetricsFile(world=f"world-{version}" + "x" * 60_000))

    def read(place: Path) -> int:
        name = json.loads((place / "metrics.json").read_text())["world"]
        return int(read_metrics(place, name).world[6])

    return Saved(save, read)


def figures() -> Saved:
    """What --json writes."""
    return Saved(
        lambda place, version: show({"version": version, "rows": [0.1] * 9000}, str(place)),
        lambda place: json.loads(place.read_text())["version"],
    )


def vectors() -> Saved:
    """What `embed --out` writes."""
    from safetensors.numpy import load_file

    def save(place: Path, version: int) -> None:
        _write(place, ["a"], np.full((60, 384), version, dtype=np.float32))

    return Saved(save, lambda place: int(load_file(place)["vectors"].max()))


def cache() -> Saved:
    """The text vectors: all of a store or none, and what cannot be stored is only computed again."""
    texts = [f"text {number}" for number in range(100)]

    def save(place: Path, version: int) -> None:
        VectorCache(place, "encoder", 8).store({text: np.full(8, version, dtype=np.float32) for text in texts})

    def read(place: Path) -> int:
        found = VectorCache(place, "encoder", 8).load(texts)
        assert len(found) == len(texts)
        (version,) = {float(value) for vector in found.values() for value in vector}
        return int(version)

    return Saved(save, read)


KINDS = {made.__name__: made for made in (checkpoint, prepared, market, training, metrics, figures, vectors, cache)}
