"""Who comes back, and when: known rhythms against what the branch makes of them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.model.due import Due, due_log_probabilities
from m2rec.model.m2rec import M2Rec
from m2rec.model.returns import (
    COMB_DECAY,
    KEPT,
    NEVER,
    ROUND,
    ReturnBranch,
    distinct,
    respond_by_choice,
    respond_by_product,
)
from tests.model.histories import WARM, histories, padded, random_histories
from tests.tiny_world import random_model, tiny_config

PERIODS = (2, 3, 5, 7)
TAPS = 24


def new_model(**changes: object) -> M2Rec:
    """As it starts, so that what it measures can be worked out by hand."""
    torch.manual_seed(0)
    return M2Rec(tiny_config(periods=PERIODS, **changes)).eval()


def run(model: M2Rec, items: Tensor, keep: Tensor | None = None):
    assert isinstance(model.frequency, ReturnBranch)
    with torch.no_grad():
        return model.frequency(items, model.item_table(), keep)


def score_of(due: Due, item: int, at: int = -1) -> float:
    return float(due.scores[0, at, due.items[0].tolist().index(item)])


# ── the filters ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("learnt", [False, True])
def test_within_each_round_the_taps_of_a_band_sum_to_zero(learnt: bool) -> None:
    """What comes often, but without a period, is not heard: a constant signal gives nothing."""
    model = random_model(tiny_config(periods=PERIODS)) if learnt else new_model()
    kernels = model.frequency.kernels()
    for band, period in enumerate(PERIODS):
        for start in range(period - period // 2 - 1, TAPS - period + 1, period):
            assert float(kernels[band, start : start + period].detach().sum()) == pytest.approx(0, abs=1e-4)


def test_the_round_under_way_says_nothing() -> None:
    kernels = random_model(tiny_config(periods=PERIODS)).frequency.kernels()
    for band, period in enumerate(PERIODS):
        assert (kernels[band, : period - period // 2 - 1] == 0).all()


@pytest.mark.parametrize(("band", "period"), list(enumerate(PERIODS)))
def test_a_new_band_has_its_teeth_where_its_period_was_last_kept(band: int, period: int) -> None:
    kernel = new_model().frequency.kernels()[band].tolist()
    for place, mark in enumerate(range(period - 1, TAPS - period // 2, period)):
        assert kernel[mark] == pytest.approx(ROUND * COMB_DECAY**place * (1 - 1 / period), abs=1e-4)


@settings(max_examples=15)
@given(rows=st.lists(histories(longest=50), min_size=1, max_size=3), seed=st.integers(0, 5))
def test_the_product_with_the_bank_and_choice_by_choice_agree(rows: list[list[int]], seed: int) -> None:
    items = padded(rows)
    slots, place = distinct(items)
    signal = ((slots[..., None] == items[:, None]) & (items > 0)[:, None]).float()
    kernels = random_model(tiny_config(), seed).frequency.kernels().detach()
    expected = respond_by_product(signal, place, kernels)
    found = respond_by_choice(signal, place, kernels)
    for row, history in enumerate(rows):  # what stands at padding is anyone's
        length = len(history)
        torch.testing.assert_close(found[row, ..., :length], expected[row, ..., :length], atol=1e-4, rtol=1e-4)


@settings(max_examples=20)
@given(rows=st.lists(histories(), min_size=1, max_size=3))
def test_every_item_of_a_history_has_one_slot(rows: list[list[int]]) -> None:
    slots, place = distinct(padded(rows))
    for row, history in enumerate(rows):
        assert slots[row][slots[row] > 0].tolist() == sorted(set(history))
        assert [int(slots[row, slot]) for slot in place[row, : len(history)]] == history


# ── who is due ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_odds_are_what_the_formula_says() -> None:
    """Item 1 every third time, three times; others but once. Worked out by hand for band 3 alone."""
    model = new_model()
    items = torch.tensor([[1, 2, 3, 1, 4, 5, 1, 6, 7]])
    keep = torch.tensor([0.0, 1.0, 0.0, 0.0])
    teeth = [ROUND * COMB_DECAY**place * (2 / 3) for place in range(3)]
    sides = [tooth / -2 for tooth in teeth]  # the other two taps of each round
    expected = sum(teeth) * (1 - KEPT)
    due = run(model, items, keep).due
    assert score_of(due, 1) == pytest.approx(expected, abs=1e-4)
    assert score_of(due, 6) == pytest.approx(sides[0] - KEPT * sum(teeth), abs=1e-4)  # chosen one before the newest
    assert score_of(due, 7) < -40  # chosen just now


@pytest.mark.parametrize(("band", "period"), list(enumerate(PERIODS)))
def test_what_came_back_every_time_is_due_on_its_day_and_no_sooner(band: int, period: int) -> None:
    model = new_model()
    length = 6 * period
    items = 2 + torch.arange(length)[None] % 20
    items[0, ::period] = 1  # due again right after the end
    due = run(model, items).due
    eve = score_of(due, 1)
    assert eve == max(score_of(due, int(item)) for item in due.items[0])
    for before in range(2, period):
        assert score_of(due, 1, -before) < eve - 3


def test_what_comes_often_without_a_period_is_not_due() -> None:
    """Half of all choices are item 1, at random: its score stays below that of an item never chosen, on average."""
    model = new_model()
    chance = torch.Generator().manual_seed(0)
    items = random_histories(30, 24, seed=3, highest=WARM)
    items = torch.where(torch.rand(items.shape, generator=chance) < 0.5, 1, items)
    scores = [score_of(run(model, row[None]).due, 1) for row in items if row[-1] != 1]
    assert sum(scores) / len(scores) < 0


def test_missing_a_round_costs_something_and_keeping_it_again_mends_it() -> None:
    model = new_model()
    kept = torch.tensor([[1, 2, 3, 1, 4, 5, 1, 6, 7, 1, 8, 9]])
    missed = kept.clone()
    missed[0, 6] = 10
    assert 0 < score_of(run(model, missed).due, 1) < score_of(run(model, kept).due, 1)


def test_an_item_is_not_due_before_it_was_ever_chosen_nor_after_it_left_the_window() -> None:
    model = new_model()
    items = torch.tensor([[2, 3, 1] + [4, 5, 6, 7] * 8])
    due = run(model, items).due
    assert score_of(due, 1, 1) == 0  # like any item outside the history
    assert score_of(due, 1, 4) != 0
    assert score_of(due, 1, 2 + TAPS) == 0


def test_order_cannot_pass() -> None:
    """The newest item takes its own turn out of the list and changes nothing else about who is due."""
    model = random_model(tiny_config(periods=PERIODS))
    items = torch.tensor([[1, 2, 3, 1, 4, 5, 1, 6, 7]])
    changed = items.clone()
    changed[0, -1] = 8
    before, after = run(model, items).due, run(model, changed).due
    for item in range(1, 7):
        assert score_of(before, item) == pytest.approx(score_of(after, item), abs=1e-5)


def test_items_that_are_merely_alike_are_not_confused() -> None:
    """Two items with the same vector take turns: neither has the other's rhythm."""
    model = new_model()
    with torch.no_grad():
        model.ids[1] = model.ids[0]
    one = torch.tensor([[1, 20, 21, 1, 22, 23, 1, 24, 25]])
    two = torch.tensor([[1, 20, 21, 2, 22, 23, 1, 24, 25]])
    assert score_of(run(model, two).due, 1) < score_of(run(model, one).due, 1)


# ── three ways to run ───────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=15)
@given(rows=st.lists(histories(longest=60), min_size=1, max_size=3), seed=st.integers(0, 5))
def test_all_positions_the_last_one_and_step_by_step_agree(rows: list[list[int]], seed: int) -> None:
    model = random_model(tiny_config(), seed)
    table, items = model.item_table(), padded(rows)
    lengths = torch.tensor([len(row) for row in rows])
    at, end = torch.arange(len(rows)), lengths - 1
    whole, last = run(model, items), model.frequency.last(items, table, lengths)
    for name in ("y", "gains", "evidence"):
        torch.testing.assert_close(getattr(last, name), getattr(whole, name)[at, end], atol=1e-4, rtol=1e-4)
    state = model.frequency.start(len(rows))
    for t in range(int(lengths.min())):
        out, state = model.frequency.step(items[:, t], table, state)
        for name in ("y", "gains", "evidence"):
            torch.testing.assert_close(getattr(out, name), getattr(whole, name)[:, t], atol=1e-4, rtol=1e-4)


def test_with_and_without_gradients_the_output_is_the_same() -> None:
    model = random_model(tiny_config())
    items = random_histories(2, 40)
    learning = model.frequency(items, model.item_table())
    for name in ("y", "gains", "evidence"):
        torch.testing.assert_close(getattr(learning, name), getattr(run(model, items), name), atol=1e-4, rtol=1e-4)


def test_the_state_is_as_small_after_many_items_as_after_none() -> None:
    model = new_model()
    table, state = model.item_table(), model.frequency.start(1)
    shapes = [part.shape for part in vars(state).values()]
    for item in random_histories(1, 60)[0]:
        _, state = model.frequency.step(item[None], table, state)
    assert [part.shape for part in vars(state).values()] == shapes


# ── gains and muting ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_evidence_is_as_wide_as_the_gate_is_told() -> None:
    model = new_model()
    assert run(model, torch.tensor([[1, 2, 3]])).evidence.shape[-1] == model.frequency.evidence_width


def test_gains_are_the_share_of_the_answer_that_each_band_lets_through() -> None:
    model = random_model(tiny_config(periods=PERIODS))
    out = run(model, random_histories(4, 20, highest=WARM))
    shares = due_log_probabilities(out.due.newest(), WARM).exp()
    history = torch.zeros(4, WARM + 1).scatter_(1, out.due.items, 1.0)[:, 1:]
    torch.testing.assert_close(out.gains[:, -1].sum(-1), (shares * history).sum(-1), atol=1e-5, rtol=1e-4)
    assert (out.gains >= 0).all()


def test_a_muted_band_passes_nothing_and_leaves_the_others_as_they_were() -> None:
    model = random_model(tiny_config(periods=PERIODS))
    items, keep = random_histories(2, 30), torch.tensor([1.0, 0.0, 1.0, 0.0])
    whole, muted = run(model, items), run(model, items, keep)
    assert (muted.gains[..., keep == 0] == 0).all()
    ratio = muted.gains[0, -1, keep == 1] / whole.gains[0, -1, keep == 1]
    torch.testing.assert_close(ratio, ratio[:1].expand(2), atol=1e-4, rtol=1e-3)


def test_with_every_band_muted_nobody_is_due() -> None:
    out = run(new_model(), random_histories(2, 20), torch.zeros(len(PERIODS)))
    assert (out.gains == 0).all()
    assert float(out.due.scores[:, -1][out.due.items > 0].max()) < -40


def test_without_adaptation_every_band_says_the_same() -> None:
    model = random_model(tiny_config(periods=PERIODS, adaptive_filter=False))
    gains = run(model, random_histories(3, 20)).gains
    torch.testing.assert_close(gains, gains[..., :1].expand_as(gains))


def test_an_item_that_comes_later_is_like_any_other() -> None:
    """Otherwise the distribution now would tell what is still to come."""
    due = run(new_model(), torch.tensor([[1, 2, 3, 4]])).due
    assert due.items[0].tolist() == [1, 2, 3, 4]
    assert due.scores[0, 1, 2:].tolist() == [0, 0]
    assert math.exp(NEVER) == 0


# ── once it has learnt ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def rhythm_model() -> M2Rec:
    """The frequency branch alone, after a moment of training on rhythms: every p-th choice the same, the rest noise."""
    torch.manual_seed(0)
    config = tiny_config(branches=("frequency",), periods=PERIODS, dropout=0.0, id_dropout=0.0)
    model = M2Rec(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
    for step in range(60):
        items = rhythms([period for period in PERIODS[1:] for _ in range(8)], seed=step)
        loss = model.loss(items[:, :-1], items[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def rhythms(periods: list[int], length: int = 40, seed: int = 0) -> Tensor:
    """One history per period: one item comes back at the end of every cycle, among random others. (B, L)"""
    items = random_histories(len(periods), length, seed, highest=WARM)
    favourite = random_histories(len(periods), 1, seed + 1000, highest=WARM)
    due = (torch.arange(1, length + 1) % torch.tensor(periods)[:, None]) == 0
    return torch.where(due, favourite, items)


@pytest.mark.parametrize(("band", "period"), list(enumerate(PERIODS))[1:])
def test_a_rhythm_turns_its_own_band_up_once_the_branch_has_learnt(rhythm_model: M2Rec, band: int, period: int) -> None:
    length = 6 * period - 1  # the favourite is due next
    items = rhythms([period] * 40, length, seed=5000)
    shuffled = items[:, torch.randperm(length, generator=torch.Generator().manual_seed(0))]
    gains, chance = (rhythm_model.encode(rows).gains[:, -1].mean(0) for rows in (items, shuffled))
    assert gains.argmax() == band
    assert gains[band] > 2 * chance[band]


@pytest.mark.parametrize("period", PERIODS[1:])
def test_a_rhythm_foretells_its_item_once_the_branch_has_learnt(rhythm_model: M2Rec, period: int) -> None:
    length = 6 * period - 1
    items = rhythms([period] * 40, length, seed=5000)
    where = torch.zeros_like(items, dtype=torch.bool)
    where[:, -1] = True
    due = items[:, period - 1]
    rank = rhythm_model.log_scores(items, where).argsort(descending=True).eq(due[:, None] - 1).int().argmax(1)
    assert (rank < 3).float().mean() > 0.9
