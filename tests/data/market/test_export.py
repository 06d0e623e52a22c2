"""An export holds the market itself, in three formats, and its checksums are those of its files."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from m2rec.data.market.export import CHECKSUMS, TRUTH, export_market, read_items
from m2rec.data.market.generate import market_dataset
from m2rec.data.market.market import Market
from m2rec.data.market.truth import read_truth, truth_of
from m2rec.errors import DataError, InputError


@pytest.fixture(scope="module")
def truth(brief: Market) -> pd.DataFrame:
    return truth_of(brief)


def test_the_tables_are_the_market(brief: Market, truth: pd.DataFrame, tmp_path: Path) -> None:
    dataset = market_dataset(brief)
    counts = export_market(brief, truth, tmp_path / "out", "csv")
    interactions = pd.read_csv(tmp_path / "out" / "interactions.csv")
    assert interactions["item"].tolist() == dataset.interactions["item"].tolist()
    assert interactions["user"].tolist() == dataset.interactions["user"].tolist()
    items = pd.read_csv(tmp_path / "out" / "items.csv", keep_default_na=False)
    assert items["text"].tolist() == dataset.items["text"].tolist()
    assert counts == {"customers": 120, "purchases": len(interactions), "items": len(items), "targets": len(truth)}
    pd.testing.assert_frame_equal(read_truth(tmp_path / "out" / TRUTH), truth)


def test_the_split_names_those_whose_purchases_are_graded(brief: Market, truth: pd.DataFrame, tmp_path: Path) -> None:
    export_market(brief, truth, tmp_path / "out", "csv")
    split = pd.read_csv(tmp_path / "out" / "split.csv").set_index("user")
    assert set(split.index[split["part"] == "test"]) == set(truth["user"])
    assert split["part"].value_counts().to_dict() == {"train": 96, "validation": 12, "test": 12}
    assert set(split.loc[split["part"] != "train", "first_target"]) == {brief.settings.first_target}


def test_nothing_outside_the_folder_of_causes_tells_a_cause(brief: Market, truth: pd.DataFrame, tmp_path: Path) -> None:
    export_market(brief, truth, tmp_path / "out", "csv")
    for path in (tmp_path / "out").glob("*.csv"):
        assert not {"cause", "period", "interests"} & set(pd.read_csv(path, nrows=0).columns)


@pytest.mark.parametrize("format", ["csv", "parquet", "recbole"])
def test_every_format_has_the_items_and_true_checksums(
    brief: Market, truth: pd.DataFrame, tmp_path: Path, format: str
) -> None:
    export_market(brief, truth, tmp_path / "out", format)
    assert read_items(tmp_path / "out") == set(brief.shop.catalogue.table["item"])
    lines = (tmp_path / "out" / CHECKSUMS).read_text().splitlines()
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {line.partition("  ")[2] for line in lines} == files - {CHECKSUMS}
    for line in lines:
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


def test_recbole_gets_its_typed_columns(brief: Market, truth: pd.DataFrame, tmp_path: Path) -> None:
    export_market(brief, truth, tmp_path / "out", "recbole")
    header = (tmp_path / "out" / "rhythm-market.inter").read_text(encoding="utf-8").splitlines()[0]
    assert header.split("\t") == ["user_id:token", "item_id:token", "timestamp:float"]


def test_the_same_market_is_written_to_the_same_bytes(brief: Market, truth: pd.DataFrame, tmp_path: Path) -> None:
    export_market(brief, truth, tmp_path / "a", "csv")
    export_market(brief, truth, tmp_path / "b", "csv")
    assert (tmp_path / "a" / CHECKSUMS).read_text() == (tmp_path / "b" / CHECKSUMS).read_text()


def test_an_export_is_replaced_in_another_format_and_other_files_stay(
    brief: Market, truth: pd.DataFrame, tmp_path: Path
) -> None:
    export_market(brief, truth, tmp_path / "out", "csv")
    (tmp_path / "out" / "predictions.csv").write_text("mine")
    export_market(brief, truth, tmp_path / "out", "recbole")
    export_market(brief, truth, tmp_path / "new", "recbole")
    kept = {path.name for path in (tmp_path / "out").iterdir()} - {path.name for path in (tmp_path / "new").iterdir()}
    assert kept == {"predictions.csv"}


def test_a_folder_with_other_files_is_refused_and_unchanged(brief: Market, truth: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not an exported market"):
        export_market(brief, truth, tmp_path, "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_is_no_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no items table"):
        read_items(tmp_path)
