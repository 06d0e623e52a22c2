"""The table of truth agrees with the market and its fair oracle."""

import numpy as np
import pandas as pd
import pytest

from m2rec.data.market import truth as module
from m2rec.data.market.customers import TEST
from m2rec.data.market.market import Market
from m2rec.data.market.settings import CAUSES
from m2rec.data.market.truth import cached_truth, read_truth, truth_of, write_truth
from m2rec.errors import DataError


@pytest.fixture(scope="module")
def truth(brief: Market) -> pd.DataFrame:
    return truth_of(brief)


def test_it_has_every_day_of_the_test_customers_from_the_first_target_on(truth: pd.DataFrame, brief: Market) -> None:
    users = np.flatnonzero(brief.customers.roles == TEST)
    lengths = brief.sequences.lengths[users]
    assert len(truth) == (lengths - brief.settings.first_target).sum()
    assert truth.groupby("user")["position"].min().unique().tolist() == [brief.settings.first_target]
    assert truth.groupby("user")["position"].max().tolist() == (lengths - 1).tolist()


def test_each_row_is_that_customers_purchase_of_that_day(truth: pd.DataFrame, brief: Market) -> None:
    ids = brief.shop.catalogue.table["item"]
    for row in truth.sample(20, random_state=0).itertuples():
        customer = int(row.user.removeprefix("customer-")) - 1
        event = brief.sequences.offsets[customer] + row.position
        assert row.item == ids[brief.sequences.events[event] - 1]
        assert row.cause == CAUSES[brief.causes[event]]
        assert row.period == brief.periods[event]


def test_the_oracles_causes_add_up_and_its_ranks_are_ranks(truth: pd.DataFrame, brief: Market) -> None:
    assert np.allclose(truth[[f"oracle_{cause}" for cause in CAUSES]].sum(axis=1), 1)
    assert truth["oracle_rank"].between(1, len(brief.shop.catalogue.table)).all()
    assert (truth.loc[truth["cause"] == "chain", "oracle_rank"] <= 10).mean() > 0.9


def test_it_comes_back_from_a_file_as_it_was(truth: pd.DataFrame, tmp_path) -> None:
    write_truth(truth, tmp_path / "truth.parquet")
    pd.testing.assert_frame_equal(read_truth(tmp_path / "truth.parquet"), truth)


def test_the_oracle_is_asked_once_a_market(brief: Market, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    first = cached_truth(brief)
    monkeypatch.setattr(module, "truth_of", lambda market: pytest.fail("asked again"))
    pd.testing.assert_frame_equal(cached_truth(brief), first)


def test_what_is_no_table_of_causes_is_refused(tmp_path) -> None:
    (tmp_path / "truth.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match="export the market again"):
        read_truth(tmp_path / "truth.parquet")
    with pytest.raises(DataError, match="There is no"):
        read_truth(tmp_path / "nothing.parquet")
