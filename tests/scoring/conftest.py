"""A tiny world and the histories of 60 users, as events and as lists."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from m2rec.checkpoint import Checkpoint
from tests.scoring.compare import USERS
from tests.tiny_world import save_tiny_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_world(tmp_path_factory.mktemp("worlds") / "tiny-shop")


@pytest.fixture(scope="module")
def histories(world: Path) -> dict[str, list[str]]:
    """60 users with 1 to 25 items each, longer than the tiny world's model reads."""
    chance, ids = np.random.default_rng(3), [item.item_id for item in Checkpoint.load(world).items]
    return {f"u{user}": chance.choice(ids, chance.integers(1, 26)).tolist() for user in range(USERS)}


@pytest.fixture(scope="module")
def events(histories: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One row an event, users mixed and newest first: the clock alone says the order."""
    rows = [(user, item, 1_700_000_000 + at) for user, items in histories.items() for at, item in enumerate(items)]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"]).sample(frac=1, random_state=1)
    path = tmp_path_factory.mktemp("events") / "events.parquet"
    frame.to_parquet(path)
    return path


@pytest.fixture(scope="module")
def lists(histories: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "lists.parquet"
    pq.write_table(pa.table({"user": list(histories), "items": list(histories.values())}), path)
    return path
