"""Predictions of any program are graded by hand-computed figures, in pieces, and what is wrong is named by its row."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from m2rec.data.market.truth import COLUMNS
from m2rec.errors import InputError
from m2rec.evaluation import predictions
from m2rec.evaluation.market_report import Group, PredictionGrades
from m2rec.evaluation.predictions import Targets, grade_predictions, read_attributions, read_ranks
from m2rec.evaluation.report import Figure

ITEMS = [f"item-{number}" for number in range(20)]


def _truth() -> pd.DataFrame:
    rows = [
        # user, position, item, cause, period, cycles, arrival, oracle's rank, its P of rhythm, chain, taste, noise
        ("ada", 28, "item-3", "rhythm", 7, 3, False, 1.0, 0.9, 0.0, 0.1, 0.0),
        ("ada", 29, "item-5", "chain", 0, 0, False, 2.0, 0.1, 0.8, 0.1, 0.0),
        ("bob", 28, "item-7", "taste", 0, 0, True, 12.0, 0.0, 0.1, 0.7, 0.2),
        ("bob", 29, "item-9", "noise", 0, 0, False, 40.0, 0.1, 0.1, 0.1, 0.7),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


@pytest.fixture
def targets() -> Targets:
    return Targets(_truth())


def _lists() -> pd.DataFrame:
    """Item 3 first, item 5 third, item 7 tenth, item 9 not among the ten."""
    wanted = {("ada", 28): ("item-3", 1), ("ada", 29): ("item-5", 3), ("bob", 28): ("item-7", 10), ("bob", 29): ("", 0)}
    rows = []
    for (user, position), (item, place) in wanted.items():
        others = iter(name for name in ITEMS if name not in (item, "item-9"))
        rows += [(user, position, rank, item if rank == place else next(others)) for rank in range(1, 11)]
    return pd.DataFrame(rows, columns=["user", "position", "rank", "item"])


def _read(targets: Targets, table: pd.DataFrame, path: Path) -> np.ndarray:
    table.to_csv(path, index=False)
    return read_ranks(path, targets, set(ITEMS))


def test_ranks_are_those_of_the_lists_in_any_order(targets: Targets, tmp_path: Path) -> None:
    shuffled = _lists().sample(frac=1, random_state=0)
    assert _read(targets, shuffled, tmp_path / "lists.csv").tolist() == [1, 3, 10, 11]


def test_an_item_that_is_listed_twice_counts_at_its_better_place(targets: Targets, tmp_path: Path) -> None:
    twice = _lists()
    twice.loc[(twice["user"] == "ada") & (twice["position"] == 28) & (twice["rank"] == 4), "item"] = "item-3"
    for rising in (True, False):
        ordered = twice.sort_values("rank", ascending=rising)
        assert _read(targets, ordered, tmp_path / "lists.csv").tolist() == [1, 3, 10, 11]


def test_most_is_lost_where_most_targets_are_and_not_where_the_rate_falls_most() -> None:
    def group(targets: int, reached: float) -> Group:
        return Group(
            targets=targets, figures={"HR@10": Figure(value=reached)}, oracle={"HR@10": 0.9}, share_of_ceiling=1
        )

    groups = {"all": group(1010, 0.5), "chain": group(1000, 0.89), "taste": group(10, 0.6)}
    assert PredictionGrades(groups=groups).most_lost() == "chain"
    assert PredictionGrades(groups={"chain": group(10, 0.95)}).most_lost() is None


def test_parquet_and_longer_lists_give_the_same(targets: Targets, tmp_path: Path) -> None:
    more = _lists().query("rank == 1").assign(rank=11)
    pd.concat([_lists(), more]).to_parquet(tmp_path / "lists.parquet")
    assert read_ranks(tmp_path / "lists.parquet", targets, set(ITEMS)).tolist() == [1, 3, 10, 11]


def test_pieces_give_the_same(targets: Targets, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(predictions, "ROWS_AT_ONCE", 7)
    _lists().to_parquet(tmp_path / "lists.parquet")
    assert read_ranks(tmp_path / "lists.parquet", targets, set(ITEMS)).tolist() == [1, 3, 10, 11]


def test_figures_are_the_ones_worked_out_by_hand(targets: Targets) -> None:
    grades = grade_predictions(targets, np.array([1.0, 3.0, 10.0, 11.0]))
    everything = grades.groups["all"]
    assert everything.targets == 4
    assert everything.figures["HR@10"].value == pytest.approx(3 / 4)
    assert everything.figures["NDCG@10"].value == pytest.approx((1 + 1 / 2 + 1 / np.log2(11)) / 4)
    assert everything.oracle["HR@10"] == pytest.approx(2 / 4)
    assert everything.share_of_ceiling == pytest.approx(3 / 2)
    assert grades.groups["rhythm"].figures["HR@10"].value == 1
    assert grades.groups["arrivals"].figures["HR@10"].value == 1
    assert grades.groups["noise"].share_of_ceiling is None
    assert {"period 7", "3 cycles seen"} <= set(grades.groups)
    assert grades.gates is None


@pytest.mark.parametrize("names", [("chain", "rhythm", "taste"), ("temporal", "frequency", "semantic")])
def test_attributions_are_graded_by_auc(targets: Targets, tmp_path: Path, names: tuple[str, ...]) -> None:
    # the chain column is right about its cause, the rhythm column is always the same, the taste column is wrong
    values = [(0.2, 0.5, 0.9), (0.8, 0.5, 0.9), (0.1, 0.5, 0.1), (0.1, 0.5, 0.9)]
    table = pd.DataFrame(values, columns=list(names)).assign(
        user=_truth()["user"].tolist(), position=_truth()["position"].tolist()
    )
    table.to_csv(tmp_path / "gates.csv", index=False)
    gates = grade_predictions(targets, np.ones(4), read_attributions(tmp_path / "gates.csv", targets)).gates
    assert gates is not None
    assert gates.gates["temporal"].auc == 1
    assert gates.gates["frequency"].auc == 0.5
    assert gates.gates["semantic"].auc == 0
    assert gates.gates["frequency"].oracle == 1


def _with(column: str, row: int, value: object) -> pd.DataFrame:
    table = _lists().astype({column: object})
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (_with("user", 4, "eve"), "Row 5: “eve” is not a test customer"),
        (_with("position", 0, 27), "Row 1: position 27 of ada is not a target"),
        (_with("position", 0, 10**9), "Row 1: position 1000000000 of ada is not a target"),
        (_with("position", 0, "soon"), "Row 1: the position “soon” is not a number"),
        (_with("rank", 2, 0), "Row 3: the rank is 0; ranks are counted from 1"),
        (_with("rank", 2, 1.5), "Row 3: the rank 1.5 is not a whole number"),
        (_with("position", 0, 1e300), "Row 1: the position 1e+300 is too large"),
        (_with("rank", 2, -1e300), "Row 3: the rank -1e+300 is too large"),
        (_with("rank", 2, 2), "Row 3: rank 2 of ada at position 28 is given twice"),
        (_with("item", 11, "unobtainium"), "Row 12: the item “unobtainium” is not in the catalogue"),
        (_lists().iloc[:-1], "1 of the 4 targets lack one of the first 10 ranks; the first is rank 10 of bob at"),
        (_lists().drop(columns="rank"), "lacks rank; it has the columns “user”, “position”, “item”"),
        (_lists().iloc[:0], "4 of the 4 targets lack"),
    ],
)
def test_what_is_wrong_is_named_in_one_sentence(
    targets: Targets, tmp_path: Path, table: pd.DataFrame, sentence: str
) -> None:
    with pytest.raises(InputError) as refused:
        _read(targets, table, tmp_path / "lists.csv")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_rank_given_twice_is_found_across_pieces(targets: Targets, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(predictions, "ROWS_AT_ONCE", 3)
    _with("rank", 9, 1).astype({"rank": int}).to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(InputError, match="Row 10: rank 1 of ada at position 28 is given twice"):
        read_ranks(tmp_path / "lists.parquet", targets, set(ITEMS))


@pytest.mark.parametrize("content", [b"", b"PAR1 is not enough", b"\x00\x01\x02", b'user,position,rank,item\n"a'])
def test_a_file_that_is_no_table_is_refused(targets: Targets, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lists").write_bytes(content)
    with pytest.raises(InputError):
        read_ranks(tmp_path / "lists", targets, set(ITEMS))


def test_missing_attributions_and_files_are_named(targets: Targets, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_attributions(tmp_path / "nothing.csv", targets)
    table = pd.DataFrame({"user": ["ada"], "position": [28], "chain": [1.0], "rhythm": [0.0], "taste": [0.0]})
    table.to_csv(tmp_path / "gates.csv", index=False)
    with pytest.raises(InputError, match="3 of the 4 targets have no attributions; the first is ada at position 29"):
        read_attributions(tmp_path / "gates.csv", targets)
    table.drop(columns="taste").to_csv(tmp_path / "gates.csv", index=False)
    with pytest.raises(InputError, match="lacks chain, rhythm, taste or temporal, frequency, semantic"):
        read_attributions(tmp_path / "gates.csv", targets)


@pytest.mark.parametrize("at_once", [2, 100])
def test_attributions_given_twice_are_refused_and_a_column_more_does_no_harm(
    targets: Targets, tmp_path: Path, monkeypatch, at_once: int
) -> None:
    table = _truth()[["user", "position"]].assign(temporal=0.1, frequency=0.2, semantic=0.7, chain="a word")
    table.to_csv(tmp_path / "gates.csv", index=False)
    assert read_attributions(tmp_path / "gates.csv", targets).tolist() == [[0.1, 0.2, 0.7]] * 4
    monkeypatch.setattr(predictions, "ROWS_AT_ONCE", at_once)
    pd.concat([table, table[1:2]]).to_parquet(tmp_path / "gates.parquet")
    with pytest.raises(InputError, match="Row 5: ada at position 29 is given twice"):
        read_attributions(tmp_path / "gates.parquet", targets)
