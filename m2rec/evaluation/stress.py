"""A trained model in markets that it was not trained for: where does it break, and does its gate still know why?

Every row is graded as any other program is (`predictions`), against the fair oracle of that very market.
"""

import tempfile
import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from m2rec.checkpoint import Checkpoint
from m2rec.data.market.export import as_prepared
from m2rec.data.market.generate import generate
from m2rec.data.market.settings import MarketSettings
from m2rec.data.market.truth import cached_truth
from m2rec.evaluation.gates import gate_weights
from m2rec.evaluation.predictions import PredictionGrades, Targets, grade_predictions, read_ranks
from m2rec.evaluation.ranked_lists import write_lists
from m2rec.model.m2rec import M2Rec


class StressRow(BaseModel):
    """One market: its name, and the constants that differ from the shipped world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: dict[str, Any] = {}


def stress_rows() -> list[StressRow]:
    """The rows of `stress.toml`."""
    found = tomllib.loads((files("m2rec.data.market") / "stress.toml").read_text(encoding="utf-8"))
    return [StressRow.model_validate(row) for row in found["row"]]


def stress_table(
    checkpoint: Checkpoint, model: M2Rec, rows: list[StressRow], customers: int
) -> dict[str, PredictionGrades]:
    """The grades of `model`, which holds the weights of `checkpoint`, in the market of each row, by its name."""
    return {row.name: _graded(checkpoint, model, row, customers) for row in rows}


def _graded(checkpoint: Checkpoint, model: M2Rec, row: StressRow, customers: int) -> PredictionGrades:
    market = generate(replace(MarketSettings.from_values(row.settings), customers=customers))
    targets = Targets(cached_truth(market))
    sold = set(market.shop.catalogue.table["item"])
    ids = [item.item_id for item in checkpoint.items]
    prepared = as_prepared(market, ids, model.config.warm_items)
    with tempfile.TemporaryDirectory() as folder:
        lists = Path(folder) / "lists.parquet"
        write_lists(model, prepared, np.isin(ids, list(sold)), lists)
        ranks = read_ranks(lists, targets, sold)
    causes = set(targets.truth["cause"])
    if not {"chain", "rhythm", "taste"} <= causes:  # an AUC needs events with the cause and events without
        return grade_predictions(targets, ranks)
    return grade_predictions(targets, ranks, gate_weights(model, prepared, "test", model.config.max_length))
