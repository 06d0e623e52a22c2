"""The ceilings are the figures that models are measured by, on the same purchases."""

import json
from pathlib import Path

import numpy as np
import pytest

from m2rec.data.market import ceilings as module
from m2rec.data.market.ceilings import ceilings, judge, write_ceilings
from m2rec.data.market.customers import TEST
from m2rec.data.market.market import Market
from m2rec.data.market.oracles import Forecast
from m2rec.errors import DataError


@pytest.fixture(scope="module")
def rows(market: Market) -> np.ndarray:
    return np.flatnonzero(market.customers.roles == TEST)[:5]


def coin(market: Market, rows: np.ndarray) -> Forecast:
    """Every item and every cause alike."""
    n, items = market.sequences.lengths[rows].sum(), len(market.shop.popularity)
    alike = np.full((n, items), 1 / (items - 1))
    alike[:, 0] = 0
    return Forecast(alike, np.full((n, 4), 0.25))


def test_an_oracle_that_knows_nothing_gets_the_figures_of_a_coin(
    market: Market, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ORACLES", {"coin": coin})
    found = ceilings(market, rows)["coin"]
    items = len(market.shop.popularity) - 1
    assert found["all"]["HR@10"] == 0
    assert found["all"]["log_likelihood"] == pytest.approx(-np.log(items))
    assert [figures["AUC"] for figures in found["by_cause"].values()] == [0.5] * 4
    assert judge(market, rows, coin).ranks == pytest.approx((items + 1) / 2)
    assert found["calibration"][0]["forecast"] == 0.25


def test_targets_are_all_purchases_from_the_first_target_on(market: Market, rows: np.ndarray) -> None:
    found = ceilings(market, rows)
    expected = int((market.sequences.lengths[rows] - 28).sum())
    for name in ("informed", "fair"):
        assert found[name]["all"]["targets"] == expected
        assert sum(figures["targets"] for figures in found[name]["by_cause"].values()) == expected
        rhythms = found[name]["by_cause"]["rhythm"]["targets"]
        assert sum(figures["targets"] for figures in found[name]["by_period"].values()) == rhythms
        assert sum(figures["targets"] for figures in found[name]["by_cycles"].values()) == rhythms
        assert found[name]["by_cause"]["rhythm"]["AUC"] > 0.9
        assert 0.5 < found[name]["all"]["HR@10"] < 0.85


def test_they_are_saved_as_json_whole_or_not_at_all(
    market: Market, rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ORACLES", {"coin": coin})
    found = write_ceilings(market, rows, tmp_path / "ceilings.json")
    assert json.loads((tmp_path / "ceilings.json").read_text())["coin"] == found["coin"]
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="could not be written"):
        write_ceilings(market, rows, tmp_path / "file" / "ceilings.json")
