"""A world small enough to train in a test, and plans for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.plan import Plan
from m2rec.data.prepared import Prepared
from m2rec.data.settings import DataSettings
from m2rec.model.config import ModelSettings
from m2rec.training.settings import TrainingSettings
from m2rec.worlds.settings import WorldSettings
from tests.training.small import small_prepared

WORLD = WorldSettings(
    name="small",
    data=DataSettings(source="ml-1m"),
    model=ModelSettings(
        width=8,
        heads_per_scale=1,
        head_width=4,
        state_width=4,
        filter_length=16,
        periods=(2, 3, 7),
        identity_width=4,
        max_length=12,
        dropout=0.0,
    ),
    training=TrainingSettings(epochs=2, batch_size=32, warmup_steps=2, learning_rate=5e-3, precision="fp32"),
)


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    """Users who step through a circle of items in order."""
    return small_prepared()


MakeJob = Callable[..., Job]


@pytest.fixture
def job(prepared: Prepared, tmp_path: Path) -> MakeJob:
    """Makes the job of a plan with one entry. `plan` and `entry` change their settings."""

    def make(kind: str = "gru4rec", *, seed: int = 0, plan: dict[str, Any] | None = None, **entry: Any) -> Job:
        content = {"name": "trial", "world": "small", "seeds": [seed], "model": [{"name": kind, "kind": kind, **entry}]}
        whole = Plan.model_validate(content | (plan or {}))
        return Job(whole, whole.entries[0], seed, WORLD, prepared.fingerprint, tmp_path / "runs")

    return make
