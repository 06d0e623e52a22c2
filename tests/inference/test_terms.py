"""An item taken apart: its terms add up to the answer, and are those of the PyTorch network."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.branches import BRANCHES
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.terms.due import DueTerms
from m2rec.inference.terms.filtered import FilterTerms
from m2rec.inference.terms.item import ItemTerms, item_terms
from m2rec.inference.terms.tastes import MeansTerms, ThemeTerms
from m2rec.model.frequency.periodic import PeriodicBranch
from m2rec.model.items import ItemTable
from m2rec.model.m2rec import M2Rec
from m2rec.model.semantic.themes import ThemesBranch
from tests.inference.test_engine import CATALOGUE, VARIANTS, engine, histories, network, shipped

TOLERANCE = 1e-4
TEMPORAL, FREQUENCY, SEMANTIC = map(BRANCHES.index, ("temporal", "frequency", "semantic"))
SPLIT = [name for name, changes in VARIANTS.items() if changes.get("gate") != "features"]


def add_up(found: ItemTerms) -> None:
    """Each branch's terms to its probability."""
    assert found.temporal is not None
    assert found.frequency is not None
    assert found.semantic is not None
    frequency, semantic = found.frequency, found.semantic
    by_due = frequency.probability if isinstance(frequency, DueTerms) else frequency.score.probability
    by_taste = semantic.probability if isinstance(semantic, ThemeTerms) else semantic.score.probability
    rebuilt = [found.temporal.score.probability, by_due, by_taste]
    np.testing.assert_allclose(rebuilt, found.probabilities, rtol=1e-3, atol=1e-9)
    if isinstance(frequency, FilterTerms):
        match = frequency.score.match
        assert sum(band.part for band in frequency.bands) == pytest.approx(match, abs=1e-3, rel=1e-4)
        assert float(frequency.alike @ frequency.response) == pytest.approx(match, abs=1e-3, rel=1e-4)
    else:
        for band in frequency.bands:
            terms = band.rounds + band.prior + frequency.habit + band.others
            assert terms == pytest.approx(band.log_odds, abs=1e-3, rel=1e-4)


def as_the_network(
    model: M2Rec, table: ItemTable, found: ItemTerms, items: Sequence[int], target: int, keep: np.ndarray | None
) -> None:
    """Terms against what the network's branches say of the same history."""
    muted = None if keep is None else torch.from_numpy(keep)
    encoded = model.encode(torch.tensor([items]), table, muted)
    seen = torch.zeros(1, model.config.items, dtype=torch.bool)
    seen[0, [item - 1 for item in items]] = True
    own = model.branch_log_probabilities(encoded.newest(), seen, table)[0, :, target - 1].exp()
    np.testing.assert_allclose(found.probabilities, own, atol=TOLERANCE)
    np.testing.assert_allclose(found.gates, encoded.log_gate[0].exp(), atol=TOLERANCE)
    frequency = encoded.branches["frequency"]
    assert frequency.evidence is not None
    np.testing.assert_allclose(
        found.gate.evidence["frequency"], frequency.evidence[0, -1], atol=TOLERANCE, rtol=TOLERANCE
    )
    if isinstance(found.frequency, DueTerms) and found.frequency.standing == "may recur":
        slots, scores = frequency.detail["items"][0, -1], frequency.detail["scores"][0, -1]
        assert found.frequency.score == pytest.approx(float(scores[slots == target][0]), abs=1e-3)
    if isinstance(found.semantic, ThemeTerms):
        themes = encoded.themes
        assert themes is not None
        assert isinstance(model.semantic, ThemesBranch)
        np.testing.assert_allclose(found.semantic.belief[1:], themes[0], atol=TOLERANCE)
        explained = frequency.explanations
        if isinstance(model.frequency, PeriodicBranch):
            assert explained is not None
            likelihood, otherwise = model.semantic.likelihoods(table.derived["semantic"][items], _first(explained))
            before = torch.from_numpy(found.semantic.belief[:-1])
            taste = (before * likelihood).sum(-1)
            np.testing.assert_allclose(found.semantic.reasons[:, 0], taste / (taste + otherwise[:, 0]), atol=1e-3)
    layer = model.temporal.layers[-1]
    if len(model.temporal.layers) == 1 and found.temporal is not None:
        normed = model.temporal.norms[0](table.inputs[items][None])
        dt = layer._project(normed)[2][0]
        left = (-dt * layer.A_log.exp()).double()
        left = (left.flip(0).cumsum(0).flip(0) - left).exp().unflatten(-1, (len(model.config.time_scales), -1)).mean(-1)
        spans = layer.time_constants().unflatten(-1, (len(model.config.time_scales), -1)).mean(-1)
        order = np.argsort(spans.numpy(), kind="stable")
        shown = np.stack([memory.left for memory in found.temporal.memories], axis=1)
        np.testing.assert_allclose(shown, left.numpy()[:, order], atol=TOLERANCE)


def _first(explained):
    return type(explained)(explained.transition[0], explained.recurrence[0])


@pytest.mark.parametrize("variant", SPLIT)
@given(items=histories, target=st.integers(1, CATALOGUE), data=st.data())
@settings(max_examples=8)
def test_terms_add_up_and_are_the_networks(variant: str, items: list[int], target: int, data: st.DataObject) -> None:
    model, table = network(variant)
    used = engine(variant)
    bands = len(used.band_periods)
    keep = data.draw(st.none() | st.lists(st.sampled_from((0.0, 1.0)), min_size=bands, max_size=bands))
    muted = None if keep is None else np.array(keep, dtype=np.float32)
    for wanted in (target, items[0], items[-1]):
        found = item_terms(used, items, wanted, used.seen(items), muted)
        add_up(found)
        as_the_network(model, table, found, items, wanted, muted)


@pytest.mark.parametrize("world", ["rhythm-market", "gift-shop", "ml-1m"])
@pytest.mark.parametrize("length", [1, 41, 260])
def test_the_shipped_worlds_add_up(world: str, length: int) -> None:
    model, used = shipped(world)
    table, dice = model.item_table(), np.random.default_rng(length)
    items = dice.choice(dice.integers(1, model.config.items + 1, max(2, length // 3)), length).tolist()
    for place in range(length - 7, -1, -7):
        items[place] = 5
    for keep in (None, dice.integers(0, 2, len(used.band_periods)).astype(np.float32)):
        for target in (5, items[-1], model.config.items):
            found = item_terms(used, items, target, used.seen(items), keep)
            add_up(found)
            as_the_network(model, table, found, items, target, keep)


@pytest.mark.parametrize(("world", "layers"), [("rhythm-market", 1), ("ml-1m", 2)])
def test_a_memory_that_holds_nothing_is_missed_and_one_that_is_full_forgets_by_age(world: str, layers: int) -> None:
    _, used = shipped(world)
    assert len(used.temporal.layers) == layers
    items = list(range(1, 42))
    found = item_terms(used, items, 50, used.seen(items))
    assert found.temporal is not None
    for memory in found.temporal.memories:
        assert memory.left[-1] == 1
        assert (np.diff(memory.left) >= 0).all()
    short, middle, long = found.temporal.memories
    assert short.span < middle.span < long.span
    assert short.left[0] < middle.left[0] < long.left[0]
    assert len({*found.temporal.without.tolist(), float(found.probabilities[TEMPORAL])}) == 4
    assert found.temporal.called.sum() == pytest.approx(1)


def test_what_is_muted_says_nothing_and_what_was_chosen_just_now_is_never_due() -> None:
    _, used = shipped("rhythm-market")
    items = [5 if at % 7 == 6 else 20 + at for at in range(41)]
    heard = item_terms(used, items, 5, used.seen(items)).frequency
    assert isinstance(heard, DueTerms)
    assert heard.bands[heard.open].period == 7
    assert (heard.bands[heard.open].hits[:5] > 0).all()
    assert (heard.bands[heard.open].required[:5] < 0).all()
    keep = (used.band_periods != 7).astype(np.float32)
    muted = item_terms(used, items, 5, used.seen(items), keep).frequency
    assert isinstance(muted, DueTerms)
    assert [band.due for band in muted.bands if band.muted] == [0]
    assert muted.due < heard.due
    again = item_terms(used, [*items, 5], 5, used.seen(items)).frequency
    never = item_terms(used, items, 700, used.seen(items)).frequency
    assert isinstance(again, DueTerms)
    assert isinstance(never, DueTerms)
    assert (again.standing, again.due) == ("chosen just now", 0)
    assert (never.standing, never.score, never.bands) == ("not chosen", 0, ())


def test_what_a_rhythm_explains_is_no_taste() -> None:
    _, used = shipped("rhythm-market")
    items = [5 if at % 7 == 6 else 20 + at for at in range(63)]
    found = item_terms(used, items, 5, used.seen(items)).semantic
    assert isinstance(found, ThemeTerms)
    np.testing.assert_allclose(found.reasons.sum(1), 1, rtol=1e-5)
    assert found.reasons[-1, 2] > 0.5 > found.reasons[6, 2]


def test_means_are_shares_and_likeness_is_a_cosine() -> None:
    _, used = shipped("gift-shop")
    items = [5, 9, 30, 5, 40]
    found = item_terms(used, items, 30, used.seen(items)).semantic
    assert isinstance(found, MeansTerms)
    for taste in found.tastes:
        assert taste.shares.sum() == pytest.approx(1, rel=1e-5)
    assert found.alike[2] == pytest.approx(1, abs=1e-5)
    assert found.alike[0] == pytest.approx(found.alike[3])


def test_the_gate_is_asked_what_it_would_say_if_nothing_were_due() -> None:
    _, used = shipped("rhythm-market")
    items = [5 if at % 7 == 6 else 20 + at for at in range(41)]
    gate = item_terms(used, items, 5, used.seen(items)).gate
    assert gate.nothing_due is not None
    assert gate.nothing_due.sum() == pytest.approx(1, rel=1e-5)
    assert gate.nothing_due[FREQUENCY] < 0.1 < gate.weights[FREQUENCY]
    assert gate.nothing_due[SEMANTIC] > gate.weights[SEMANTIC]
    _, films = shipped("ml-1m")
    assert item_terms(films, items, 5, films.seen(items)).gate.nothing_due is None


def test_with_the_gate_on_features_no_branch_has_terms() -> None:
    used: InferenceEngine = engine("gate on features")
    found = item_terms(used, [2, 3, 2], 3, used.seen([2, 3]))
    assert (found.temporal, found.frequency, found.semantic) == (None, None, None)
    assert len(set(found.probabilities.tolist())) == 1
