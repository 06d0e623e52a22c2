"""The quick way to one answer against its plain twin, for every shape the network may have."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.model.frequency.recurrence import due_log_probabilities
from m2rec.model.m2rec import Encoded, M2Rec
from m2rec.model.serving.serving import Serving
from tests.model.histories import CATALOGUE
from tests.tiny_world import random_model, tiny_config

CLOSE = {"atol": 2e-5, "rtol": 1e-4}
SHAPES = {
    "as it is": {},
    "themes": {"semantic": "themes"},
    "themes, fixed filter": {"semantic": "themes", "adaptive_filter": False},
    "themes, gate on features": {"semantic": "themes", "gate": "features"},
    "themes, vectors": {"semantic": "themes", "frequency": "spectral"},
    "vectors": {"frequency": "spectral"},
    "vectors everywhere": {"frequency": "spectral", "temporal_input": "vectors", "semantic_by_text": False},
    "vectors, no trends": {"frequency": "spectral", "trend_scales": ()},
    "vectors, no periods": {"frequency": "spectral", "periods": ()},
    "vectors, fixed filter": {"frequency": "spectral", "adaptive_filter": False},
    "fixed filter": {"adaptive_filter": False},
    "one scoring vector": {"semantic_by_text": False},
    "gate on features": {"gate": "features"},
    "gate on features, one scoring vector": {"gate": "features", "semantic_by_text": False},
    "no gate": {"gate": "equal"},
    "two branches": {"branches": ("temporal", "frequency")},
    "one branch, no gate": {"branches": ("semantic",), "gate": "equal"},
    "convolution wider than the filter": {"filter_length": 3, "periods": (2, 3), "conv_width": 6},
    "short memory": {"frequency": "spectral", "agreement_scale": 1.5},
    "heads of one scale": {"time_scales": (4.0,), "heads_per_scale": 3},
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@pytest.fixture(scope="module")
def model() -> M2Rec:
    return random_model(tiny_config()).requires_grad_(False)


def history(length: int, items: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, items + 1, length)


def plain(model: M2Rec, items: np.ndarray) -> Encoded:
    return model.encode_last(torch.from_numpy(items)[None])


def assert_same(quick: Encoded, slow: Encoded) -> None:
    for name in ("features", "log_gate", "gains"):
        given_, expected = getattr(quick, name), getattr(slow, name)
        assert given_.dtype == torch.float32
        torch.testing.assert_close(given_, expected, **CLOSE)
    assert (quick.due is None) == (slow.due is None)
    if quick.due and slow.due:
        mine, theirs = (due_log_probabilities(due, CATALOGUE) for due in (quick.due, slow.due))
        torch.testing.assert_close(mine.exp(), theirs.exp(), **CLOSE)
    assert (quick.themes is None) == (slow.themes is None)
    if quick.themes is not None:
        torch.testing.assert_close(quick.themes, slow.themes, **CLOSE)


@every_shape
@pytest.mark.parametrize("length", [1, 2, 23, 24, 25, 61])
def test_a_whole_history_is_read_as_the_model_reads_it(shape: dict, length: int) -> None:
    model = random_model(tiny_config(**shape)).requires_grad_(False)
    items = history(length, model.config.items)
    assert_same(Serving(model).last(items), plain(model, items))


@every_shape
def test_item_by_item_is_what_the_model_says_after_each(shape: dict) -> None:
    model = random_model(tiny_config(**shape)).requires_grad_(False)
    serving, items = Serving(model), history(40, model.config.items)
    state, plain_state = serving.start(), model.start(1)
    for item in items:
        quick, state = serving.step(int(item), state)
        slow, plain_state = model.step(torch.tensor([item]), plain_state)
        assert_same(quick, slow)


@every_shape
def test_the_shares_are_the_models_own(shape: dict) -> None:
    model = random_model(tiny_config(**shape)).requires_grad_(False)
    serving, items = Serving(model), history(12, model.config.items)
    encoded, seen = plain(model, items), serving.seen(items)
    assert set(np.flatnonzero(seen[0]) + 1) == set(items)
    shares = serving.shares(encoded, seen)
    torch.testing.assert_close(shares, model.shares(encoded, seen), **CLOSE)
    assert float(shares.sum()) == pytest.approx(1, abs=1e-5)


@settings(max_examples=40)
@given(length=st.integers(1, 900), seed=st.integers(0, 50))
def test_histories_of_any_length_are_read_alike(length: int, seed: int) -> None:
    made = random_model(tiny_config()).requires_grad_(False)
    items = history(length, made.config.items, seed)
    assert_same(Serving(made).last(items), plain(made, items))


@pytest.mark.parametrize("variant", ["means", "themes"])
def test_muted_bands_are_muted(variant: str) -> None:
    model = random_model(tiny_config(semantic=variant)).requires_grad_(False)
    items, serving = history(30, model.config.items), Serving(model)
    keep = torch.ones(model.frequency.bands)
    keep[1:3] = 0
    slow = model.encode_last(torch.from_numpy(items)[None], keep=keep)
    assert_same(serving.last(items, keep.numpy()), slow)
    state = serving.start()
    for item in items[:-1]:
        _, state = serving.step(int(item), state)
    assert_same(serving.step(int(items[-1]), state, keep.numpy())[0], slow)
    assert not slow.gains[0, 1:3].any()


@pytest.mark.parametrize("variant", ["means", "themes"])
def test_items_of_ones_own_words_are_read_by_their_meaning(variant: str) -> None:
    model = random_model(tiny_config(semantic=variant)).requires_grad_(False)
    extended = model.extend(model.item_table(), torch.randn(2, model.config.text_width))
    items = np.array([3, model.config.items + 1, 5, model.config.items + 2])
    serving = Serving(model, extended)
    slow = model.encode_last(torch.from_numpy(items)[None], extended)
    assert_same(serving.last(items), slow)
    seen = serving.seen(items)
    assert seen.shape == (1, model.config.items)
    torch.testing.assert_close(serving.shares(slow, seen), model.shares(slow, seen), **CLOSE)


def test_a_step_leaves_the_state_it_came_from_as_it_was(model: M2Rec) -> None:
    serving = Serving(model)
    _, state = serving.step(3, serving.start())
    first, _ = serving.step(5, state)
    serving.step(9, state)
    again, _ = serving.step(5, state)
    assert torch.equal(first.features, again.features)


def test_the_state_does_not_grow_with_the_history(model: M2Rec) -> None:
    serving = Serving(model)
    state = serving.start()
    sizes = {name: np.shape(value) for name, value in vars(state).items()}
    for item in history(50, model.config.items):
        _, state = serving.step(int(item), state)
    assert {name: np.shape(value) for name, value in vars(state).items()} == sizes


def test_a_model_that_learns_or_has_two_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="in evaluation mode, with one temporal layer"):
        Serving(random_model(tiny_config()).train())
    with pytest.raises(ValueError, match="in evaluation mode, with one temporal layer"):
        Serving(random_model(tiny_config(temporal_layers=2)))


def test_the_best_ten_are_the_same_in_the_same_order(model: M2Rec) -> None:
    serving = Serving(model)
    for seed in range(20):
        items = history(30, model.config.items, seed)
        seen = serving.seen(items)
        quick = serving.shares(serving.last(items), seen).sum(1).topk(10).indices
        slow = model.shares(plain(model, items), seen).sum(1).topk(10).indices
        assert torch.equal(quick, slow)


def test_norm_of_a_silent_branch_stays_finite(model: M2Rec) -> None:
    """After one item no band has anything to say: its output is exactly nothing."""
    encoded = Serving(model).last(np.array([1]))
    assert torch.isfinite(encoded.features).all()
    assert torch.isfinite(F.softmax(encoded.log_gate, -1)).all()
