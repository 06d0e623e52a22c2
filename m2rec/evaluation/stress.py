"""A trained model in markets that it was not trained for: where does it break, and does its gate still know why?

Every row is graded as any other program is (`predictions`), against the fair oracle of that very market. The table is
saved after every row, and a run that was killed goes on from there.
"""

import tempfile
import tomllib
from collections.abc import Callable
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
from m2rec.evaluation.gates import GRADED, gate_weights
from m2rec.evaluation.market_report import PredictionGrades
from m2rec.evaluation.predictions import Targets, grade_predictions, read_ranks
from m2rec.evaluation.ranked_lists import write_lists
from m2rec.evaluation.stress_table import GradedRow, StressTable
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


def grade_rows(
    checkpoint: Checkpoint,
    model: M2Rec,
    rows: list[StressRow],
    table: StressTable,
    save: Callable[[StressTable], None] = lambda table: None,
) -> StressTable:
    """`table` with every one of `rows`; those that it has with these settings are not graded again.

    `model` holds the weights of `checkpoint`. `save` is called after every new row.
    """
    known = {row.name: row for row in table.rows}
    graded: list[GradedRow] = []
    for row in rows:
        before = known.get(row.name)
        if before and before.settings == row.settings:
            graded.append(before)
            continue
        grades = _graded(checkpoint, model, row, table.customers)
        graded.append(GradedRow(name=row.name, settings=row.settings, **dict(grades)))
        # rows that come later in the list stay in the file too
        names = {one.name for one in graded}
        save(table.model_copy(update={"rows": [*graded, *(one for one in table.rows if one.name not in names)]}))
    return table.model_copy(update={"rows": graded})


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
    return grade_predictions(targets, ranks, gate_weights(model, prepared, "test", model.config.max_length)[:, GRADED])
