"""The engine against its network in PyTorch, and every way to read a history against reading it from scratch."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint
from m2rec.inference.engine import CACHE_EVERY, InferenceEngine, as_arrays
from m2rec.inference.reading import Position, Reading, State
from m2rec.model.items import ItemTable
from m2rec.model.m2rec import M2Rec
from tests.places import CHECKPOINTS
from tests.tiny_world import random_model, tiny_config, tiny_items

CATALOGUE = len(tiny_items())
TOLERANCE = 1e-4
VARIANTS: dict[str, dict[str, object]] = {
    "periodic and means": {},
    "periodic and themes": {"semantic": "themes"},
    "spectral and themes": {"frequency": "spectral", "semantic": "themes"},
    "spectral and means": {"frequency": "spectral", "temporal_input": "vectors", "semantic_by_text": False},
    "two temporal layers": {"temporal_layers": 2, "semantic": "themes"},
    "low-pass": {"frequency": "spectral", "filter": "low-pass"},
    "the same gains for every history": {"adaptive_filter": False},
    "spectral, the same gains": {"frequency": "spectral", "adaptive_filter": False, "periods": ()},
    "a short average of agreement": {"frequency": "spectral", "agreement_scale": 1.5},
    "equal gates": {"gate": "equal"},
    "gate on features": {"gate": "features", "semantic": "themes"},
    "gate on features, one scoring vector": {"gate": "features", "semantic_by_text": False},
    "without a frequency branch": {"branches": ("temporal", "semantic")},
    "a short filter": {"filter_length": 3, "periods": (2, 3), "conv_width": 6, "semantic": "themes"},
}

histories = st.one_of(
    st.lists(st.integers(1, CATALOGUE), min_size=1, max_size=60),
    st.lists(st.sampled_from((2, 3, 5, CATALOGUE)), min_size=1, max_size=60),
)


@cache
def network(variant: str) -> tuple[M2Rec, ItemTable]:
    model = random_model(tiny_config(**VARIANTS[variant])).requires_grad_(False)
    return model, model.item_table()


@cache
def engine(variant: str) -> InferenceEngine:
    model, _ = network(variant)
    return InferenceEngine(model.config, as_arrays(model.state_dict()))


@cache
def shipped(world: str) -> tuple[M2Rec, InferenceEngine]:
    model = Checkpoint.load(CHECKPOINTS / world).model().requires_grad_(False)
    return model, InferenceEngine.from_folder(CHECKPOINTS / world)


def same_as_the_network(
    model: M2Rec, table: ItemTable, engine: InferenceEngine, items: list[int], keep: list[float] | None = None
) -> None:
    """All positions, the newest alone and item by item, against `M2Rec.encode` and `M2Rec.shares`."""
    muted = None if keep is None else np.array(keep, dtype=np.float32)
    encoded = model.encode(torch.tensor([items]), table, None if keep is None else torch.tensor(keep))
    gates = encoded.log_gate[0].exp().numpy()
    seen = engine.seen(items)
    shares = model.shares(encoded.newest(), torch.from_numpy(seen)[None], table)[0].numpy()
    whole = engine.advance(items, engine.start(), muted)
    np.testing.assert_allclose(whole.gates, gates, atol=TOLERANCE)
    np.testing.assert_allclose(whole.position.gains, encoded.gains[0, -1], atol=TOLERANCE, rtol=TOLERANCE)
    state, stepped = engine.start(), []
    for item in items:
        position, state = engine.step(item, state, muted)
        stepped.append(position.gate)
    np.testing.assert_allclose(np.array(stepped), gates, atol=TOLERANCE)
    for found in (whole.position, engine.last(items, muted), position):
        says_the_same(engine, found, seen, shares)
        if encoded.themes is not None:
            assert found.themes is not None
            np.testing.assert_allclose(found.themes, encoded.themes[0, -1], atol=TOLERANCE)


def says_the_same(engine: InferenceEngine, position: Position, seen: np.ndarray, shares: np.ndarray) -> None:
    found = engine.shares(position, seen)
    np.testing.assert_allclose(found, shares, atol=TOLERANCE)
    probability = shares.sum(0)
    np.testing.assert_allclose(np.exp(engine.log_probabilities(position, seen)), probability, atol=TOLERANCE)
    floor = np.sort(probability)[-10:][0]
    best = np.argsort(-found.sum(0))[:10]
    assert (probability[best] >= floor - 1e-6).all()  # the same ten, but for equals


@pytest.mark.parametrize("variant", VARIANTS)
@given(items=histories)
@settings(max_examples=8)
def test_every_way_to_read_gives_the_output_of_the_network(variant: str, items: list[int]) -> None:
    same_as_the_network(*network(variant), engine(variant), items)


@pytest.mark.parametrize("variant", ["periodic and themes", "spectral and means"])
@given(items=histories, data=st.data())
@settings(max_examples=15)
def test_muted_bands_are_muted(variant: str, items: list[int], data: st.DataObject) -> None:
    bands = len(engine(variant).band_periods)
    keep = data.draw(st.lists(st.sampled_from((0.0, 1.0)), min_size=bands, max_size=bands))
    same_as_the_network(*network(variant), engine(variant), items, keep)


@pytest.mark.parametrize("world", ["rhythm-market", "gift-shop", "ml-1m"])
@pytest.mark.parametrize("length", [1, 2, 30, 200, 333])
def test_the_shipped_worlds_give_the_output_of_their_networks(world: str, length: int) -> None:
    model, found = shipped(world)
    dice = np.random.default_rng(length)
    few = dice.integers(1, model.config.items + 1, max(2, length // 3))
    table = model.item_table()
    for pool in (few, np.arange(1, model.config.items + 1)):
        items = dice.choice(pool, length).tolist()
        for keep in (None, dice.integers(0, 2, len(found.band_periods)).astype(float).tolist()):
            same_as_the_network(model, table, found, items, keep)


@pytest.mark.parametrize("variant", ["periodic and themes", "periodic and means", "spectral and means"])
@given(items=histories, data=st.data())
@settings(max_examples=10)
@pytest.mark.parametrize("known", [False, True], ids=["by text alone", "with ID vectors"])
def test_new_items_are_read_by_their_text(variant: str, known: bool, items: list[int], data: st.DataObject) -> None:
    model, table = network(variant)
    texts = torch.nn.functional.normalize(torch.randn(2, 384, generator=torch.Generator().manual_seed(5)), dim=-1)
    items = [*items, CATALOGUE + 1, *data.draw(histories), CATALOGUE + 2, *items[:1]]
    ids = (
        torch.stack([model.ids[3:9].mean(0), torch.zeros(model.config.width)]) if known else None
    )  # the second has none
    more = engine(variant).extended(texts.numpy(), None if ids is None else ids.detach().numpy())
    encoded = model.encode(torch.tensor([items]), model.extend(table, texts, ids))
    reading = more.read(items)
    np.testing.assert_allclose(reading.gates, encoded.log_gate[0].exp(), atol=TOLERANCE)
    seen = more.seen(items)
    shares = model.shares(encoded.newest(), torch.from_numpy(seen)[None], table)[0].numpy()
    says_the_same(more, reading.position, seen, shares)
    assert engine(variant).items.text.shape == table.text.shape  # the first engine is as it was


def test_new_items_sell_like_the_usual_one_also_where_no_item_of_the_catalogue_is_new() -> None:
    model = random_model(tiny_config(warm_items=CATALOGUE)).requires_grad_(False)
    weight = model.semantic.popularity_weight()
    usual = float((weight * model.bias).exp().mean().log() / weight)
    texts = torch.nn.functional.normalize(torch.randn(2, 384), dim=-1)
    table = model.extend(model.item_table(), texts)
    arrays = InferenceEngine(model.config, as_arrays(model.state_dict())).items.of_texts(model.config, texts.numpy())
    np.testing.assert_allclose(table.bias[-2:, 0], [usual, usual], atol=1e-5)
    np.testing.assert_allclose(arrays.bias, [usual, usual], atol=1e-5)
    assert abs(float(model.bias[-1]) - usual) > 0.01  # it is not the last item's


# ── kept beginnings ─────────────────────────────────────────────────────────────────────────────────────────────


def same_reading(found: Reading, scratch: Reading) -> None:
    np.testing.assert_allclose(found.gates, scratch.gates, atol=1e-5)
    np.testing.assert_allclose(found.position.vectors, scratch.position.vectors, atol=1e-3, rtol=1e-3)
    assert found.gates.shape == scratch.gates.shape


@pytest.mark.parametrize("variant", ["periodic and themes", "spectral and means", "two temporal layers"])
@given(items=histories, changes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 59), st.integers(1, CATALOGUE))))
@settings(max_examples=15)
def test_reading_after_a_change_is_reading_from_scratch(
    variant: str, items: list[int], changes: list[tuple[int, int, int]]
) -> None:
    model, _ = network(variant)
    used = InferenceEngine(model.config, as_arrays(model.state_dict()))
    used.read(items)
    for kind, at, item in changes:
        place = at % len(items)
        if kind == 0:
            items = [*items, item]
        elif kind == 1 and len(items) > 1:
            items = [*items[:place], *items[place + 1 :]]
        elif kind == 2:
            items = [*items[:place], item, *items[place + 1 :]]
        else:
            items = [*items[:place], *reversed(items[place:])]
        cached = len(used._cache)
        np.testing.assert_allclose(used.newest(items).vectors, used.last(items).vectors, atol=1e-3, rtol=1e-3)
        assert len(used._cache) == cached  # a question in passing leaves the cache as it was
        same_reading(used.read(items), used.advance(items, used.start()))
        assert used.read(items) is used.read(items)  # what was asked just now is not worked out again


@pytest.mark.parametrize("variant", ["periodic and themes", "spectral and means"])
def test_a_change_costs_what_comes_after_it_and_little_before_it(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = network(variant)
    used, read = InferenceEngine(model.config, as_arrays(model.state_dict())), 0
    advance = used.advance

    def counted(items: Sequence[int], state: State, band_keep: np.ndarray | None = None) -> Reading:
        nonlocal read
        read += len(items)
        return advance(items, state, band_keep)

    monkeypatch.setattr(used, "advance", counted)
    items = np.random.default_rng(3).integers(1, CATALOGUE + 1, 5 * CACHE_EVERY + 7).tolist()
    place = 4 * CACHE_EVERY + 20
    moved = [*items[:place], items[-1], *items[place:-1]]
    changes = {
        "read": (items, len(items)),
        "read again": (items, 0),
        "one more": ([*items, 3], 1),
        "one less": (items[:-1], len(items) - 1 - 5 * CACHE_EVERY),
        "one removed": ([*items[:place], *items[place + 1 :]], len(items) - 1 - 4 * CACHE_EVERY),
        "one moved": (moved, len(items) - 4 * CACHE_EVERY),
        "back": (items, 0),
    }
    for name, (changed, cost) in changes.items():
        read = 0
        same_reading(used.read(changed), advance(changed, used.start()))
        assert (name, read) == (name, cost)


def test_what_was_read_with_muted_bands_is_not_taken_for_what_was_read_with_all() -> None:
    used, items = engine("periodic and means"), [2, 3, 2, 5, 2, 3] * 4
    keep = np.zeros(len(used.band_periods), dtype=np.float32)
    one, muted = used.read(items), used.read(items, keep)
    assert np.abs(one.gates - muted.gates).max() > 1e-3
    assert used.read(items) is one


def test_the_cache_stays_within_its_bytes_and_forgets_what_was_asked_longest_ago() -> None:
    model, _ = network("periodic and themes")
    limit = 60_000
    used = InferenceEngine(model.config, as_arrays(model.state_dict()), limit)
    first = used.read([1, 2, 3])
    for item in range(1, CATALOGUE + 1):
        used.read([item] * 12)
        used.read([1, 2, 3])
        assert 0 < used._cache.nbytes <= limit
    assert used.read([1, 2, 3]) is first
    held = len(used._cache)
    assert 1 < held < CATALOGUE
    assert used.read([1] * 12) is not None
    without = InferenceEngine(model.config, as_arrays(model.state_dict()), 0)
    assert without.read([1, 2]) is not without.read([1, 2])
    assert len(without._cache) == 0


def test_what_is_forgotten_is_read_anew() -> None:
    model, _ = network("periodic and themes")
    used = InferenceEngine(model.config, as_arrays(model.state_dict()))
    before = used.read([1, 2, 1])
    rows = used.distributions(before.position, used.seen([1, 2]))
    used.forget()
    assert (used._cache.nbytes, used._distributions.nbytes) == (0, 0)
    after = used.read([1, 2, 1])
    assert after is not before
    same_reading(after, before)
    np.testing.assert_allclose(used.distributions(after.position, used.seen([1, 2])), rows, rtol=1e-5)


def test_a_state_is_not_changed_by_what_is_read_after_it() -> None:
    for variant in VARIANTS:
        used = engine(variant)
        state = used.advance([1, 2, 3, 2], used.start()).state
        one, _ = used.step(5, state)
        used.advance([7, 8, 9] * 9, state)
        other, _ = used.step(5, state)
        np.testing.assert_array_equal(one.vectors, other.vectors)


def test_a_states_size_does_not_grow_with_the_history() -> None:
    for variant in VARIANTS:
        used = engine(variant)
        sizes = [used.advance([3, 4, 5, 6] * repeats, used.start()).state.nbytes for repeats in (20, 40, 80)]
        assert sizes[0] == sizes[1] == sizes[2]


def test_distributions_are_distributions() -> None:
    for variant in VARIANTS:
        used = engine(variant)
        position = used.last([3, 4, 3, 4, 3])
        rows = used.distributions(position, used.seen([3, 4]))
        assert rows.shape == (len(BRANCHES), CATALOGUE)
        np.testing.assert_allclose(rows.sum(1), 1, rtol=1e-5)
        np.testing.assert_allclose(used.shares(position, used.seen([3, 4])), rows * position.gate[:, None], rtol=1e-6)


def test_cached_distributions_are_those_of_their_own_position_and_items() -> None:
    for variant in VARIANTS:
        used, (model, _) = engine(variant), network(variant)
        without = InferenceEngine(model.config, as_arrays(model.state_dict()), cache_bytes=0)
        for items in ([3, 4, 3, 4, 3], [3, 4, 3, 4], [5, 3, 4, 3, 4, 3]) * 2:
            for seen in (items, [3, 4, 9]):  # items that are too old to be read were seen all the same
                asked = used.read(items).position, used.seen(seen)
                expected = without.distributions(without.read(items).position, without.seen(seen))
                np.testing.assert_allclose(used.distributions(*asked), expected, rtol=1e-5, atol=1e-8)
                assert used.distributions(*asked) is used.distributions(*asked)
        assert without._distributions.nbytes == 0
