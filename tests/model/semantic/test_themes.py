"""The belief over themes: against enumeration, against the market's own filter, and against its faster twin."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from m2rec.data.market.oracles.interest_belief import InterestBelief
from m2rec.data.market.settings import DEFAULT
from m2rec.model.explanations import Explanations
from m2rec.model.frequency.recurrence import RecurrenceScores
from m2rec.model.m2rec import M2Rec
from m2rec.model.semantic.themes import (
    ThemesBranch,
    filter_pairs,
    filter_pairs_numpy,
    theme_log_probabilities,
    theme_probability,
)
from tests.model.histories import CATALOGUE, WARM, random_histories
from tests.tiny_world import random_model, tiny_config

CLOSE = {"atol": 1e-5, "rtol": 1e-4}


def themed(**changes: object) -> M2Rec:
    return random_model(tiny_config(semantic="themes", **changes)).requires_grad_(False)


def drawn(batch: int, length: int, themes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Likelihoods (B, L, K) and what else may explain a choice (B, L, 1)."""
    dice = torch.Generator().manual_seed(seed)
    return 3 * torch.rand(batch, length, themes, generator=dice), torch.rand(batch, length, 1, generator=dice) + 0.1


def start(batch: int, themes: int) -> torch.Tensor:
    differ = 1 - torch.eye(themes)
    return (differ / differ.sum()).expand(batch, -1, -1)


# ── the filter ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_belief_is_what_enumerating_every_course_of_interests_gives() -> None:
    themes, length, first, shift = 3, 4, 0.7, 0.1
    likelihood, other_causes = drawn(1, length, themes)
    pairs = [pair for pair in product(range(themes), repeat=2) if pair[0] != pair[1]]

    def passes(old: tuple[int, int], new: tuple[int, int]) -> float:
        fresh = shift / (themes - 1) if new[1] == old[0] and new[0] != old[0] else 0.0
        return (1 - shift) * (old == new) + fresh

    def says(pair: tuple[int, int], day: int) -> float:
        one, other = float(likelihood[0, day, pair[0]]), float(likelihood[0, day, pair[1]])
        return float(other_causes[0, day, 0]) + first * one + (1 - first) * other

    weights = np.zeros(themes)
    for course in product(pairs, repeat=length + 1):  # the last pair is tomorrow's
        chance = float(np.prod([says(pair, day) for day, pair in enumerate(course[:-1])]))
        chance *= float(np.prod([passes(old, new) for old, new in pairwise(course)]))
        weights[course[-1][0]] += first * chance
        weights[course[-1][1]] += (1 - first) * chance
    shares, _ = filter_pairs(likelihood, other_causes, torch.tensor(first), torch.tensor(shift), start(1, themes))
    np.testing.assert_allclose(shares[0, -1].numpy(), weights / weights.sum(), rtol=1e-4)


def test_belief_is_that_of_the_market_where_the_themes_are_known() -> None:
    customers, days, themes = 5, 60, 6
    likelihood, other_causes = drawn(customers, days, themes)
    oracle = InterestBelief(DEFAULT, customers, themes)
    expected = []
    for day in range(days):
        oracle.observe(likelihood[:, day].double().numpy(), other_causes[:, day, 0].double().numpy())
        expected.append(oracle.shares())
    first, shift = torch.tensor(DEFAULT.interest_weights[0]), torch.tensor(DEFAULT.interest_shift)
    shares, _ = filter_pairs(likelihood, other_causes, first, shift, start(customers, themes))
    np.testing.assert_allclose(shares.numpy(), np.stack(expected, axis=1), atol=1e-5)


@settings(max_examples=30)
@given(
    themes=st.integers(2, 9),
    length=st.integers(1, 50),
    first=st.floats(0.05, 0.95),
    shift=st.floats(0.001, 0.5),
    seed=st.integers(0, 99),
)
def test_the_faster_filter_gives_the_same_belief(
    themes: int, length: int, first: float, shift: float, seed: int
) -> None:
    given_ = (*drawn(3, length, themes, seed), torch.tensor(first), torch.tensor(shift), start(3, themes))
    slow, quick = filter_pairs(*given_), filter_pairs_numpy(*given_)
    for one, other in zip(slow, quick, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)
    torch.testing.assert_close(quick[0].sum(-1), torch.ones(3, length))
    assert (quick[1].diagonal(dim1=1, dim2=2).abs() < 1e-6).all()  # nobody has one interest twice


def test_the_belief_that_was_given_stays_as_it_was() -> None:
    before = start(1, 4).contiguous()
    kept = before.clone()
    filter_pairs_numpy(*drawn(1, 5, 4), torch.tensor(0.7), torch.tensor(0.02), before)
    assert torch.equal(before, kept)


# ── the branch ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_learning_and_answering_read_a_history_alike() -> None:
    model, items = themed(), random_histories(3, 30)
    quick = model.encode(items).themes
    with torch.enable_grad():
        slow = model.encode(items).themes
    torch.testing.assert_close(quick, slow, **CLOSE)


@pytest.mark.parametrize("by", ["transition", "recurrence"])
def test_a_choice_with_another_explanation_is_weak_evidence_of_interests(by: str) -> None:
    branch = ThemesBranch(tiny_config(semantic="themes", theme_count=4))
    emitted = torch.full((1, 1, 4), 0.02)
    emitted[..., 1] = 0.5
    nothing = Explanations(torch.full((1, 1), -9.0), torch.full((1, 1), -9.0))
    moved = []
    for strength in (-9.0, 0.0, 4.0, 12.0):
        explained = replace(nothing, **{by: torch.full((1, 1), strength)})
        moved.append(branch(emitted, explained).detail["themes"][0, 0, 1].item())
    assert moved == sorted(moved, reverse=True)
    assert moved[0] > 0.4
    assert moved[-1] == pytest.approx(0.25, abs=0.01)


def test_an_explanation_beyond_all_doubt_stays_finite() -> None:
    branch = ThemesBranch(tiny_config(semantic="themes", theme_count=4))
    sure = torch.full((1, 3), 1e6)
    assert torch.isfinite(branch(torch.rand(1, 3, 4), Explanations(sure, sure)).detail["themes"]).all()


def test_a_theme_is_a_distribution_over_the_items_that_have_been_sold() -> None:
    model = themed()
    emissions = model.item_table().derived["semantic"]
    torch.testing.assert_close(emissions[1 : WARM + 1].sum(0), torch.ones(emissions.shape[1]))
    assert not emissions[0].any()
    assert (emissions[1:] > 0).all()


def test_a_new_item_is_looked_for_by_its_text_as_one_like_it_would_be() -> None:
    model = themed()
    text = model.text.clone()
    text[CATALOGUE] = text[CATALOGUE - 1]  # two arrivals with one text
    model.text.copy_(text)
    emissions = model.item_table().derived["semantic"]
    torch.testing.assert_close(emissions[CATALOGUE], emissions[CATALOGUE - 1])


def test_probabilities_of_a_catalogue_sum_to_one_and_agree_item_by_item() -> None:
    weights = torch.rand(5, 4).softmax(-1)
    emissions = torch.rand(9, 4).softmax(0)
    log_p = theme_log_probabilities(weights, emissions)
    torch.testing.assert_close(log_p.exp().sum(-1), torch.ones(5))
    torch.testing.assert_close(log_p[:, 3], theme_probability(weights, emissions[3].expand(5, -1)))


def test_how_due_a_choice_was_is_what_the_frequency_branch_said_of_it_the_step_before() -> None:
    model = themed()
    items, table = random_histories(4, 40, highest=6), model.item_table()
    out = model.frequency(items, table)
    said, explained = RecurrenceScores.of(out), out.explanations.recurrence
    assert not explained[:, 0].any()
    for t in range(1, items.shape[1]):
        expected = ((said.items[:, t] == items[:, t, None]) * said.scores[:, t - 1]).sum(-1)
        torch.testing.assert_close(explained[:, t], expected, atol=1e-3, rtol=1e-4)


def test_rhythms_are_not_bent_by_the_use_that_interests_make_of_them() -> None:
    model = random_model(tiny_config(semantic="themes"))
    model.encode(random_histories(2, 20)).themes.square().sum().backward()
    assert model.frequency.transfer.grad is None or not model.frequency.transfer.grad.any()
    assert model.frequency.transition_query[0].weight.grad.any()


def test_themes_score_by_text_alone() -> None:
    with pytest.raises(ValidationError, match="themes score items by their texts"):
        tiny_config(semantic="themes", semantic_by_text=False)
