"""The market is the same on every machine, follows its settings, and can be trained on."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from m2rec.data.market import generate as entry
from m2rec.data.market.customers import TEST, TRAINING, VALIDATION
from m2rec.data.market.generate import cached_market, generate, market_dataset
from m2rec.data.market.market import Market
from m2rec.data.market.settings import CHAIN, DEFAULT, NOISE, RHYTHM, TASTE, MarketSettings
from m2rec.data.prepare import prepare
from m2rec.data.sequences import Sequences
from m2rec.data.settings import DataSettings
from m2rec.data.sources.registry import split_rule
from m2rec.errors import DataError
from m2rec.world_names import MARKET
from m2rec.worlds.settings import load_world

TINY = MarketSettings(customers=40)


def digest(market: Market) -> str:
    arrays = [market.sequences.events, market.sequences.offsets, market.causes, market.periods, market.cycles]
    arrays += [market.interests, *vars(market.customers).values()]
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def same(one: Market, other: Market) -> bool:
    return one.settings == other.settings and digest(one) == digest(other)


def test_the_world_is_the_same_to_the_byte_on_every_machine() -> None:
    assert digest(generate(TINY)) == "c05f91343e1ce13014069c3f11f92167325f0cbab01b5dc712f0a085b8ec1d1b"


def test_another_seed_is_another_world() -> None:
    assert digest(generate(replace(TINY, seed=1))) != digest(generate(TINY))


def test_the_shop_does_not_depend_on_who_shops(market: Market) -> None:
    other = generate(TINY).shop
    assert (other.links == market.shop.links).all()
    assert (other.popularity == market.shop.popularity).all()


def test_causes_are_as_frequent_as_in_the_settings(market: Market) -> None:
    events, causes, shop = market.sequences.events, market.causes, market.shop
    assert 0.25 < (causes == RHYTHM).mean() < 0.35
    after_another = market.sequences.positions > 0
    called = shop.pull[np.roll(events, 1)] * after_another
    free = causes != RHYTHM
    assert (causes == CHAIN)[free].mean() == pytest.approx(called[free].mean(), abs=0.006)
    assert (causes == TASTE).sum() / np.isin(causes, [TASTE, NOISE]).sum() == pytest.approx(0.8, abs=0.006)


def test_what_was_bought_could_have_come_from_its_cause(market: Market) -> None:
    shop, events = market.shop, market.sequences.events
    chained = np.flatnonzero(market.causes == CHAIN)
    assert (market.sequences.positions[chained] > 0).all()
    assert (shop.links[events[chained - 1], events[chained]] > 0).all()
    tasted = market.causes == TASTE
    in_theme = shop.catalogue.in_theme[market.interests[tasted], events[tasted, None] - 1]  # (N, 2)
    assert in_theme.any(axis=1).all()
    owners = np.repeat(np.arange(len(market.customers)), market.sequences.lengths)
    rhythmic = market.causes == RHYTHM
    standing = market.customers.rhythm_items[owners[rhythmic]] == events[rhythmic, None]
    assert standing.any(axis=1).all()
    assert (market.customers.rhythm_periods[owners[rhythmic]][standing] == market.periods[rhythmic]).all()


def test_the_dominant_successor_follows_six_times_in_ten(market: Market) -> None:
    chained = np.flatnonzero(market.causes == CHAIN)
    previous, item = market.sequences.events[chained - 1], market.sequences.events[chained]
    assert (market.shop.successors[previous, 0] == item).mean() == pytest.approx(0.6, abs=0.01)


def test_new_arrivals_reach_held_out_customers_only_and_late(market: Market) -> None:
    arrivals = market.shop.catalogue.arrival[market.sequences.events - 1]
    roles = np.repeat(market.customers.roles, market.sequences.lengths)
    assert not arrivals[roles == TRAINING].any()
    assert arrivals[roles == TEST].any()
    assert arrivals[roles == VALIDATION].any()
    assert market.sequences.positions[arrivals].min() >= DEFAULT.arrivals_from
    assert (market.causes[arrivals] == TASTE).all()


def test_cycles_count_what_the_customer_has_shown(market: Market) -> None:
    customer = int(np.argmax(market.customers.rhythm_items.all(axis=1)))
    bought = market.events_of(np.array([customer]))
    for period in set(market.customers.rhythm_periods[customer]):
        shown = bought[market.periods[bought] == period]
        rhythms_of_period = (market.customers.rhythm_periods[customer] == period).sum()
        if rhythms_of_period == 1:
            assert market.cycles[shown].tolist() == list(range(len(shown)))
    assert not market.cycles[market.causes != RHYTHM].any()


def test_the_default_world_is_split_as_its_customers_were_drawn() -> None:
    """A training customer who turned into a target, or the reverse, would make arrivals known."""
    data = load_world("rhythm-market").data
    assert (data.validation_share, data.test_share) == (DEFAULT.validation_share, DEFAULT.test_share)
    assert (data.first_target, data.split_seed) == (DEFAULT.first_target, DEFAULT.split_seed)


def test_prepared_sequences_match_the_market_purchase_by_purchase(market: Market) -> None:
    class NoTexts:
        def encode(self, texts: list[str]) -> np.ndarray:
            return np.zeros((len(texts), 4), dtype=np.float32)

    dataset = market_dataset(market)
    settings = DataSettings(source="rhythm-market", min_count=0, split="by-user")
    prepared = prepare(dataset, split_rule(settings), NoTexts())
    ids = market.shop.catalogue.table["item"].to_numpy()
    assert [prepared.item_ids[i - 1] for i in prepared.sequences.events] == list(ids[market.sequences.events - 1])
    assert (prepared.sequences.offsets == market.sequences.offsets).all()
    held_out = prepared.split.train_end == 0
    assert (held_out == (market.customers.roles != TRAINING)).all()
    cold = set(prepared.item_ids[prepared.warm_items :])
    assert set(ids[market.shop.catalogue.arrival]) <= cold
    users, positions = prepared.split.targets("test")
    assert positions.min() == 28
    assert (market.customers.roles[users] == TEST).all()


def test_the_dataset_lists_customers_and_days_in_order(market: Market) -> None:
    interactions = market_dataset(market).interactions
    assert pd.factorize(interactions["user"])[0].tolist() == sorted(pd.factorize(interactions["user"])[0])
    assert (
        Sequences((interactions["position"] + 1).to_numpy(dtype=np.int32), market.sequences.offsets).events.min() == 1
    )


def test_a_saved_market_is_the_same_when_loaded(market: Market, tmp_path: Path) -> None:
    market.save(tmp_path / "market")
    loaded = Market.load(tmp_path / "market")
    assert same(loaded, market)


def test_a_damaged_market_says_so_and_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first = cached_market(TINY)
    folder = entry.cache_dir() / MARKET
    (folder / "arrays.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match="no usable market"):
        Market.load(folder)
    assert same(cached_market(TINY), first)
    monkeypatch.setattr(entry, "generate", lambda settings: pytest.fail("made again though nothing has changed"))
    assert same(cached_market(TINY), first)


def test_a_cached_market_of_other_settings_is_not_used() -> None:
    cached_market(TINY)
    assert cached_market(replace(TINY, seed=2)).settings.seed == 2


def test_a_cached_market_of_another_catalogue_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    cached_market(TINY)
    monkeypatch.setattr("m2rec.data.market.market.fingerprint", lambda: "other")
    with pytest.raises(DataError, match="another catalogue"):
        Market.load(entry.cache_dir() / MARKET)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="rhythm_counts must sum to 1"):
        MarketSettings(rhythm_counts=(0.5, 0.1, 0.1, 0.1))
    with pytest.raises(ValueError, match="2…28"):
        MarketSettings(period_weights=(0.5, 0.5))
    with pytest.raises(ValueError, match="first_target"):
        MarketSettings(shortest=20)
    with pytest.raises(
        ValueError, match="0…3 standing items"
    ):  # customers have three at most, so no oracle may have four
        MarketSettings(rhythm_counts=(0.1, 0.1, 0.1, 0.1, 0.6))
    for wrong in (((0.2,) * 5,), (0.5, 0.5), ((),), (), ((0.0, 1.0),)):
        with pytest.raises(ValueError, match="follow_up_shares"):
            MarketSettings(follow_up_shares=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two weights"):
        MarketSettings(interest_weights=(0.5, 0.25, 0.25))  # type: ignore[arg-type]
    for changes in ({"test_share": 1.0}, {"test_share": float("inf")}, {"validation_share": -0.1}, {"seed": -1}):
        with pytest.raises(ValueError, match=r"share|seed"):
            MarketSettings(**changes)
    with pytest.raises(ValueError, match="finite"):
        MarketSettings(popularity_exponent=float("inf"))
