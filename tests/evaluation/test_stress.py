"""The stress table: every row is a market that can be made, and the shipped model is graded in each."""

import numpy as np
import pytest

from m2rec.checkpoint import Checkpoint
from m2rec.data.market.export import as_prepared, export_market, read_export
from m2rec.data.market.generate import generate
from m2rec.data.market.settings import DEFAULT, MarketSettings
from m2rec.data.market.truth import truth_of
from m2rec.evaluation.stress import StressRow, stress_rows, stress_table
from m2rec.paths import checkpoints


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return Checkpoint.load(checkpoints() / "rhythm-market")


@pytest.mark.parametrize("row", stress_rows(), ids=lambda row: row.name)
def test_every_row_is_a_market(row: StressRow) -> None:
    settings = MarketSettings.from_values(row.settings)
    assert (settings == DEFAULT) == (row.name == "as trained")


def test_names_are_told_apart() -> None:
    names = [row.name for row in stress_rows()]
    assert len(set(names)) == len(names)


def test_without_rhythms_there_are_no_gates_to_grade_and_with_misses_the_ceiling_falls(
    checkpoint: Checkpoint, monkeypatch, tmp_path
) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    brief = {"shortest": 50, "longest": 60, "arrivals_from": 40}
    rows = [
        StressRow(name="plain", settings=brief),
        StressRow(name="no rhythms", settings=brief | {"rhythm_counts": [1, 0, 0, 0]}),
        StressRow(name="half are missed", settings=brief | {"miss": 0.5}),
    ]
    found = stress_table(checkpoint, checkpoint.model(), rows, 100)
    assert found["plain"].gates
    assert found["no rhythms"].gates is None
    assert "rhythm" not in found["no rhythms"].groups
    ceilings = {name: grades.groups["all"].oracle["HR@10"] for name, grades in found.items()}
    assert ceilings["half are missed"] < ceilings["plain"]
    assert found["plain"].groups["all"].figures["HR@10"].value > 0.3


def test_a_market_is_the_same_with_files_between_and_without(checkpoint: Checkpoint, tmp_path) -> None:
    market = generate(MarketSettings(customers=30, shortest=40, longest=50, arrivals_from=35))
    export_market(market, truth_of(market), tmp_path / "out", "parquet")
    ids = [item.item_id for item in checkpoint.items]
    straight, read = as_prepared(market, ids, 700), read_export(tmp_path / "out", ids, 700)
    assert np.array_equal(straight.sequences.events, read.sequences.events)
    assert straight.user_ids == read.user_ids
    for name, values in vars(straight.split).items():
        assert np.array_equal(values, getattr(read.split, name)), name
