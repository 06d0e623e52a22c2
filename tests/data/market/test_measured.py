"""Oracles are measured as models are, on the same purchases."""

import numpy as np
import pytest

from m2rec.data.market.customers import TEST
from m2rec.data.market.market import Market
from m2rec.data.market.oracles.measured import measure
from m2rec.data.market.oracles.oracles import Forecast, fair, informed
from m2rec.data.market.settings import RHYTHM
from m2rec.errors import DataError
from m2rec.evaluation.gates import auc
from m2rec.evaluation.metrics import outcomes


@pytest.fixture(scope="module")
def rows(market: Market) -> np.ndarray:
    return np.flatnonzero(market.customers.roles == TEST)[:5]


def coin(market: Market, rows: np.ndarray) -> Forecast:
    """Every item and every cause alike."""
    n, items = market.sequences.lengths[rows].sum(), len(market.shop.popularity)
    alike = np.full((n, items), 1 / (items - 1))
    alike[:, 0] = 0
    return Forecast(alike, np.full((n, 4), 0.25))


def test_an_oracle_without_any_information_ranks_as_a_coin_does(market: Market, rows: np.ndarray) -> None:
    found = measure(market, rows, coin)
    items = len(market.shop.popularity) - 1
    assert found.ranks == pytest.approx((items + 1) / 2)
    assert outcomes(found.ranks, "HR@10").mean() == 0
    assert found.log_probabilities == pytest.approx(-np.log(items))
    rhythm = market.causes[found.events] == RHYTHM
    assert auc(found.causes[:, RHYTHM], rhythm) == 0.5


@pytest.mark.parametrize("oracle", [informed, fair])
def test_targets_are_all_purchases_from_the_first_target_on(oracle, market: Market, rows: np.ndarray) -> None:
    found = measure(market, rows, oracle)
    positions = market.sequences.positions[found.events]
    assert len(found.events) == (market.sequences.lengths[rows] - 28).sum()
    assert positions.min() == 28
    assert (np.diff(found.events) > 0).all()
    assert 0.5 < outcomes(found.ranks, "HR@10").mean() < 0.85
    assert auc(found.causes[:, RHYTHM], market.causes[found.events] == RHYTHM) > 0.9


def test_forecasts_that_are_no_numbers_are_refused_and_not_ranked_first(market: Market, rows: np.ndarray) -> None:
    def broken(market: Market, rows: np.ndarray) -> Forecast:
        found = coin(market, rows)
        return Forecast(found.items * np.nan, found.causes)

    with pytest.raises(DataError, match="no numbers"):
        measure(market, rows, broken)
