"""Both oracles give distributions, look at nothing they must not, and are as good as they claim."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.data.market.customers import TEST
from m2rec.data.market.generate import generate
from m2rec.data.market.market import Market
from m2rec.data.market.oracles.measured import Measured, Oracle, measure
from m2rec.data.market.oracles.oracles import fair, informed
from m2rec.data.market.settings import RHYTHM, MarketSettings
from m2rec.data.sequences import Sequences
from tests.data.market.conftest import BRIEF
from tests.data.market.enumeration import rhythm_probabilities

ORACLES: dict[str, Oracle] = {"informed": informed, "fair": fair}
both = pytest.mark.parametrize("oracle", ORACLES.values(), ids=ORACLES.keys())
both_names = pytest.mark.parametrize("name", ORACLES)
FEW = np.arange(4)


def with_events(market: Market, events: np.ndarray) -> Market:
    return replace(market, sequences=Sequences(events.astype(np.int32), market.sequences.offsets))


@both
def test_forecasts_are_distributions_over_items_and_causes(oracle: Oracle, brief: Market) -> None:
    forecast = oracle(brief, np.flatnonzero(brief.customers.roles == TEST)[:8])  # they see arrivals too
    for probabilities in (forecast.items, forecast.causes):
        assert (probabilities >= 0).all()
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(probabilities)))
    assert not forecast.items[:, 0].any()


@both
@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_they_are_so_after_any_history(oracle: Oracle, brief: Market, seed: int, variety: int) -> None:
    """Also after one that the process would hardly make: the same few items over and over."""
    random = np.random.default_rng(seed)
    warm = np.flatnonzero(brief.shop.popularity)
    strange = with_events(brief, random.choice(random.choice(warm, variety), len(brief.causes)))
    forecast = oracle(strange, FEW[:2])
    assert forecast.items.sum(axis=1) == pytest.approx(np.ones(len(forecast.items)))
    assert forecast.causes.sum(axis=1) == pytest.approx(np.ones(len(forecast.items)))


@both
def test_no_oracle_sees_the_future(oracle: Oracle, brief: Market) -> None:
    after = 20
    warm = np.flatnonzero(brief.shop.popularity)
    changed = brief.sequences.events.copy()
    later = brief.sequences.positions >= after
    changed[later] = np.random.default_rng(0).choice(warm, later.sum())
    before = brief.sequences.positions[brief.events_of(FEW)] <= after  # the first change is not seen by its own day
    one, other = oracle(brief, FEW), oracle(with_events(brief, changed), FEW)
    assert (one.items[before] == other.items[before]).all()
    assert (one.causes[before] == other.causes[before]).all()
    assert not np.allclose(one.items[~before], other.items[~before])


@both
def test_customers_are_forecast_alone_or_together(oracle: Oracle, brief: Market) -> None:
    together = oracle(brief, FEW)
    alone = np.concatenate([oracle(brief, FEW[[row]]).items for row in FEW])
    assert alone == pytest.approx(together.items, abs=1e-12)


def test_the_fair_oracle_reads_nothing_about_the_customer(brief: Market) -> None:
    anonymous = replace(
        brief,
        customers=replace(
            brief.customers,
            **dict.fromkeys(("rhythm_items", "rhythm_periods", "rhythm_phases"), brief.customers.rhythm_items * 0),
        ),
        interests=brief.interests * 0,
        causes=brief.causes * 0,
        periods=brief.periods * 0,
        cycles=brief.cycles * 0,
    )
    assert (fair(anonymous, FEW).items == fair(brief, FEW).items).all()


@pytest.fixture(scope="module")
def measured(market: Market) -> dict[str, Measured]:
    rows = np.flatnonzero(market.customers.roles == TEST)[:25]
    return {name: measure(market, rows, oracle) for name, oracle in ORACLES.items()}


def test_the_informed_oracle_is_better_and_the_fair_one_is_close(measured: dict[str, Measured]) -> None:
    assert (measured["informed"].events == measured["fair"].events).all()
    loss = measured["informed"].log_probabilities.mean() - measured["fair"].log_probabilities.mean()
    assert 0.02 < loss < 0.2


@both_names
def test_forecasts_of_a_rhythm_are_calibrated(name: str, measured: dict[str, Measured], market: Market) -> None:
    forecast, happened = measured[name].causes[:, RHYTHM], market.causes[measured[name].events] == RHYTHM
    for low, high in ((0, 0.05), (0.05, 0.5), (0.5, 1)):
        band = (forecast >= low) & (forecast < high)
        assert happened[band].mean() == pytest.approx(forecast[band].mean(), abs=0.04)


def test_a_world_without_rhythms_has_none_to_find() -> None:
    still = generate(replace(BRIEF, customers=20, rhythm_counts=(1.0, 0.0, 0.0, 0.0)))
    for oracle in ORACLES.values():
        forecast = oracle(still, FEW)
        assert not forecast.causes[:, RHYTHM].any()
        assert forecast.items.sum(axis=1) == pytest.approx(np.ones(len(forecast.items)))


def test_without_rhythms_the_fair_oracle_is_the_filter_over_all_pairs_of_interests() -> None:
    """By the definition alone: P(items so far | pair) for every pair of first and second interest, chains and noise
    included, and the forecast as the mean over the pairs.
    """
    market = generate(replace(BRIEF, customers=20, shortest=30, longest=30, rhythm_counts=(1.0, 0.0, 0.0, 0.0)))
    shop, themes = market.shop, len(market.shop.catalogue.themes)
    first, second = np.nonzero(~np.eye(themes, dtype=bool))  # (P,)
    shares = np.zeros((len(first), themes))
    shares[np.arange(len(first)), first], shares[np.arange(len(first)), second] = market.settings.interest_weights
    shifted = (first[None, :] == second[:, None]) / (themes - 1)  # [to, from]: the first becomes the second
    rows = np.flatnonzero(market.customers.roles == TEST)[:2]
    for row in rows:
        items = market.sequences[row]
        forecast = fair(market, np.array([row])).items
        belief = np.full(len(first), 1 / len(first))
        for day, item in enumerate(items):
            previous = np.full(len(first), items[day - 1] if day else 0)
            base = shop.base(previous, shares, np.full(len(first), day >= market.settings.arrivals_from))
            np.testing.assert_allclose(forecast[day], belief @ base, atol=1e-12)
            belief = belief * base[:, item] / (belief @ base[:, item])
            stay = market.settings.interest_shift
            belief = (1 - stay) * belief + stay * shifted @ belief


def test_inference_agrees_with_the_enumeration_of_all_sets_of_rhythms() -> None:
    """Periods 3 and 4, at most two rhythms, ten days, each compared with the exact posterior.

    Days this early are the hardest for the approximation: nothing is settled yet.
    """
    small = generate(
        MarketSettings(
            customers=4,
            shortest=10,
            longest=10,
            first_target=5,
            rhythm_counts=(0.3, 0.4, 0.3, 0.0),
            period_weights=tuple({3: 0.4, 4: 0.6}.get(period, 0.0) for period in range(2, 29)),
        )
    )
    inferred = fair(small, FEW).causes[:, RHYTHM].reshape(4, 10)
    enumerated = np.array([rhythm_probabilities(small.shop, small.sequences[row]) for row in FEW])
    assert inferred[:, 0] == pytest.approx(enumerated[:, 0], abs=1e-3)
    assert np.abs(inferred - enumerated).mean() < 0.03
    assert np.corrcoef(inferred.ravel(), enumerated.ravel())[0, 1] > 0.97
