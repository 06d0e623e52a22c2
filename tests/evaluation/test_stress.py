"""The stress table: every row is a market that can be made, and the shipped model is graded in each."""

from pathlib import Path

import numpy as np
import pytest

from m2rec.checkpoint import Checkpoint
from m2rec.data.market.export import as_prepared, export_market, read_export
from m2rec.data.market.generate import generate
from m2rec.data.market.settings import DEFAULT, MarketSettings
from m2rec.data.market.truth import truth_of
from m2rec.errors import DataError, InputError
from m2rec.evaluation.stress import StressRow, grade_rows, stress_rows
from m2rec.evaluation.stress_table import StressTable, read_table, resumed_from, write_table
from m2rec.paths import checkpoints


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return Checkpoint.load(checkpoints() / "rhythm-market")


def empty(checkpoint: Checkpoint, customers: int = 100) -> StressTable:
    made = {"hardware": "cpu", "date": "2026-01-01", "command": "test", "revision": "none"}
    weights = checkpoint.config.sha256["model.safetensors"]
    return StressTable(world="rhythm-market", weights=weights, customers=customers, **made)


@pytest.mark.parametrize("row", stress_rows(), ids=lambda row: row.name)
def test_every_row_is_a_market(row: StressRow) -> None:
    settings = MarketSettings.from_values(row.settings)
    assert (settings == DEFAULT) == (row.name == "as trained")


def test_equal_names_are_refused() -> None:
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
    model = checkpoint.model()
    with pytest.raises(KeyboardInterrupt):  # killed after the second row
        grade_rows(checkpoint, model, rows, empty(checkpoint), save=_save_one_and_die_at_two(tmp_path / "table.json"))
    begun = resumed_from(empty(checkpoint), tmp_path / "table.json")
    assert [row.name for row in begun.rows] == ["plain", "no rhythms"]
    table = grade_rows(checkpoint, model, rows, begun)
    assert table.rows[:2] == begun.rows
    found = {row.name: row for row in table.rows}
    assert found["plain"].gates
    assert found["no rhythms"].gates is None
    assert "rhythm" not in found["no rhythms"].groups
    ceilings = {name: grades.groups["all"].oracle["HR@10"] for name, grades in found.items()}
    assert ceilings["half are missed"] < ceilings["plain"]
    assert found["plain"].groups["all"].figures["HR@10"].value > 0.3


def _save_one_and_die_at_two(path: Path):
    def save(table: StressTable) -> None:
        write_table(table, path)
        if len(table.rows) == 2:
            raise KeyboardInterrupt

    return save


def test_rows_of_other_weights_or_customers_are_not_mixed_in_and_damage_is_named(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "table.json"
    assert resumed_from(empty(checkpoint), path) == empty(checkpoint)
    write_table(empty(checkpoint), path)
    assert read_table(path) == empty(checkpoint)
    with pytest.raises(InputError, match="another number of customers"):
        resumed_from(empty(checkpoint, customers=200), path)
    with pytest.raises(InputError, match="other weights"):
        resumed_from(empty(checkpoint).model_copy(update={"weights": "f" * 64}), path)
    path.write_text("{}")
    with pytest.raises(DataError, match="not a readable stress table"):
        read_table(path)


def test_a_market_is_the_same_with_files_between_and_without(checkpoint: Checkpoint, tmp_path) -> None:
    market = generate(MarketSettings(customers=30, shortest=40, longest=50, arrivals_from=35))
    export_market(market, truth_of(market), tmp_path / "out", "parquet")
    ids = [item.item_id for item in checkpoint.items]
    straight, read = as_prepared(market, ids, 700), read_export(tmp_path / "out", ids, 700)
    assert np.array_equal(straight.sequences.events, read.sequences.events)
    assert straight.user_ids == read.user_ids
    for name, values in vars(straight.split).items():
        assert np.array_equal(values, getattr(read.split, name)), name
