"""Reads the answers of a run and compares them with `recommend`."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from m2rec import Recommender
from m2rec.branches import BRANCHES
from m2rec.scoring.scorer import SCHEMA

USERS = 60


def answers(folder: Path) -> pd.DataFrame:
    """All parts, by user and rank."""
    parts = [pq.read_table(path) for path in sorted(folder.glob("part-*.parquet"))]
    assert all(part.schema.equals(SCHEMA) for part in parts)
    return pa.concat_tables(parts).to_pandas().sort_values(["user", "rank"]).reset_index(drop=True)


def check_against_recommend(found: pd.DataFrame, world: Path, histories: dict[str, list[str]], **options) -> None:
    recommender = Recommender.from_pretrained(world)
    assert set(found["user"]) == set(histories)
    for user, rows in found.groupby("user"):
        answer = recommender.recommend(histories[user], **options)
        assert rows["item"].tolist() == [item.item_id for item in answer.items]
        assert rows["rank"].tolist() == [item.rank for item in answer.items]
        np.testing.assert_allclose(rows["probability"], [item.probability for item in answer.items], atol=1e-5)
        for name in BRANCHES:
            np.testing.assert_allclose(rows[name], [item.contributions[name] for item in answer.items], atol=1e-5)
            np.testing.assert_allclose(rows[f"gate_{name}"], answer.gates[name], atol=1e-5)
