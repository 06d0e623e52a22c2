"""Scores without an N × V table against scores with one."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.model import softmax
from m2rec.model.softmax import (
    branch_log_probabilities,
    logsumexp_scores,
    logsumexp_scores_plain,
    seen_items,
    target_log_probability,
)
from m2rec.model.targets import Targets
from tests.model.histories import histories, items, marks, padded

V, M, D = 30, 3, 7


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# ── log Σ exp ───────────────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=15)
@given(rows=st.integers(0, 60), at_once=st.integers(1, 300), seed=st.integers(0, 9))
def test_the_sum_over_all_items_does_not_depend_on_how_many_are_scored_at_once(
    rows: int, at_once: int, seed: int
) -> None:
    features, vectors = draw(rows, D, seed=seed) * 3, draw(V, D, seed=seed + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(softmax.SCORES_AT_ONCE, "cpu", at_once)
        result = logsumexp_scores(features, vectors)
    torch.testing.assert_close(result, logsumexp_scores_plain(features, vectors), atol=1e-5, rtol=1e-5)


@settings(max_examples=15)
@given(rows=st.integers(1, 20), at_once=st.integers(1, 300), seed=st.integers(0, 9))
def test_its_gradients_are_the_plain_ones(rows: int, at_once: int, seed: int) -> None:
    leaves = draw(rows, D, seed=seed).requires_grad_(), draw(V, D, seed=seed + 1).requires_grad_()
    upstream = draw(rows, seed=seed + 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(softmax.SCORES_AT_ONCE, "cpu", at_once)
        ours = torch.autograd.grad(logsumexp_scores(*leaves), leaves, upstream)
    plain = torch.autograd.grad(logsumexp_scores_plain(*leaves), leaves, upstream)
    torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)


def test_very_large_scores_overflow_nothing() -> None:
    features, vectors = torch.tensor([[300.0]], requires_grad=True), torch.tensor([[1.0], [1.0], [-1.0]])
    result = logsumexp_scores(features, vectors)
    torch.testing.assert_close(result, torch.tensor([300 + math.log(2)]))
    result.sum().backward()
    torch.testing.assert_close(features.grad, torch.ones(1, 1))


def test_in_low_precision_values_and_gradients_stay_close() -> None:
    leaves = draw(200, 32).requires_grad_(), (0.4 * draw(900, 32, seed=1)).requires_grad_()
    plain = logsumexp_scores_plain(*leaves)
    slopes = torch.autograd.grad(plain.sum(), leaves)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = logsumexp_scores(*leaves)
    assert low.dtype == torch.float32
    assert (low - plain).abs().mean() < 0.004  # bfloat16 itself tells 8 from 8.06
    low_slopes = torch.autograd.grad(low.sum(), leaves)
    assert [slope.dtype for slope in low_slopes] == [torch.float32] * 2
    for ours, exact in zip(low_slopes, slopes, strict=True):
        assert (ours - exact).norm() < 0.01 * exact.norm()


# ── the target's probability ────────────────────────────────────────────────────────────────────────────────────


def plain_target_log_probability(
    features: Tensor, vectors: Tensor, biases: Tensor, rows: Tensor, targets: Tensor
) -> Tensor:
    """The same by way of the whole N × M × V table."""
    marked = targets > 0
    seen = seen_items(rows.where(rows < len(vectors), 0), marked, len(vectors) - 1)
    table = branch_log_probabilities(features[marked], vectors, biases[marked], seen, rows[marked])
    return table.gather(2, targets[marked][:, None, None].expand(-1, table.shape[1], 1) - 1)[..., 0]


@settings(max_examples=40)
@given(
    rows=st.lists(histories(2, 15), min_size=1, max_size=4),
    warm=st.integers(1, V),
    seed=st.integers(0, 99),
    extra=st.integers(0, 3),
)
def test_the_targets_probability_is_the_tables(rows: list[list[int]], warm: int, seed: int, extra: int) -> None:
    """Repeats, padding, and items in the history that have no place in the table (cold ones) included."""
    history = padded(rows, extra)
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, warm + 1, history.shape, generator=generator) * marks(rows, history.shape[1])
    repeated = (torch.rand(history.shape, generator=generator) < 0.4) & (history <= warm)
    targets = torch.where(repeated & (targets > 0), history, targets)
    features, vectors = draw(*history.shape, M, D, seed=seed), draw(warm + 1, D, seed=seed + 1)
    biases = 2 * draw(*history.shape, M, 2, seed=seed + 2)
    torch.testing.assert_close(
        target_log_probability(features, vectors, biases, history, Targets.of(targets)),
        plain_target_log_probability(features, vectors, biases, history, targets),
        atol=1e-4,
        rtol=1e-4,
    )


def test_its_gradients_are_those_of_the_table() -> None:
    history, targets = (
        torch.tensor([[5, 2, 5, 9, 0], [29, 1, 1, 1, 3]]),
        torch.tensor([[2, 5, 9, 0, 0], [1, 1, 4, 3, 1]]),
    )
    leaves = [
        draw(2, 5, M, D, dtype=torch.float64).requires_grad_(),
        draw(11, D, seed=1, dtype=torch.float64).requires_grad_(),
        draw(2, 5, M, 2, seed=2, dtype=torch.float64).requires_grad_(),
    ]
    ours, plain = (
        torch.autograd.grad(way(*leaves, history, given).sum(), leaves)
        for way, given in (
            (target_log_probability, Targets.of(targets)),
            (plain_target_log_probability, targets),
        )
    )
    torch.testing.assert_close(ours, plain, atol=1e-5, rtol=1e-4)


def test_a_history_of_cold_items_alone_has_a_gradient() -> None:
    leaves = [draw(1, 2, M, D).requires_grad_(), draw(11, D).requires_grad_(), draw(1, 2, M, 2).requires_grad_()]
    value = target_log_probability(*leaves, torch.tensor([[20, 30]]), Targets.of(torch.tensor([[3, 4]])))
    assert all(torch.isfinite(slope).all() for slope in torch.autograd.grad(value.sum(), leaves))


@pytest.mark.parametrize("strength", [-12.0, 12.0])
def test_a_strong_readiness_or_refusal_to_repeat_is_exact_where_the_history_is_not_everything(strength: float) -> None:
    history, targets = torch.tensor([[1, 2, 3, 1]]), torch.tensor([[2, 3, 1, 4]])
    features, vectors = draw(1, 4, M, D), draw(V + 1, D, seed=1)
    biases = torch.stack([torch.full((1, 4, M), strength), draw(1, 4, M, seed=2)], dim=-1)
    torch.testing.assert_close(
        target_log_probability(features, vectors, biases, history, Targets.of(targets)),
        plain_target_log_probability(features, vectors, biases, history, targets),
        atol=1e-3,
        rtol=1e-4,
    )


def test_in_low_precision_what_the_history_leaves_over_is_exact_even_where_that_is_next_to_nothing() -> None:
    """Taking the history's share away from a rounded sum would leave noise, and steps in its direction."""
    width, length = 32, 6
    vectors = F.normalize(draw(V + 1, width), dim=-1)
    history = torch.arange(1, length + 1)[None]
    features = (14 * vectors[history])[:, :, None].requires_grad_()  # after each item, nearly all weight is on itself
    biases = torch.tensor([-12.0, 0.0]).expand(1, length, 1, 2)
    targets = torch.arange(length + 1, 2 * length + 1)[None]
    share = branch_log_probabilities(features[0], vectors, 0 * biases[0], seen_items(history, history > 0, V))
    assert share.exp().gather(2, history[0][:, None, None] - 1).median() > 0.999

    exact = plain_target_log_probability(features, vectors, biases, history, targets)
    (slope,) = torch.autograd.grad(exact.sum(), features)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = target_log_probability(features, vectors, biases, history, Targets.of(targets))
    (low_slope,) = torch.autograd.grad(low.sum(), features)
    torch.testing.assert_close(low, exact, atol=0.1, rtol=0)
    assert (low_slope - slope).norm() < 0.05 * slope.norm()


def test_without_a_repeat_bias_it_is_as_with_one_of_zero() -> None:
    history, targets = torch.tensor([[5, 2, 5, 9, 0]]), Targets.of(torch.tensor([[2, 5, 9, 4, 0]]))
    features, vectors = draw(1, 5, M, D), draw(V + 1, D, seed=1)
    torch.testing.assert_close(
        target_log_probability(features, vectors, None, history, targets),
        target_log_probability(features, vectors, torch.zeros(1, 5, M, 2), history, targets),
    )


def test_a_repeat_is_counted_once_however_often_the_item_was_seen() -> None:
    history = torch.tensor([[4, 4, 4]])
    features, vectors = torch.zeros(1, 3, 1, 2), torch.zeros(4 + 1, 2)  # four items, all scores 0
    biases = torch.tensor([math.log(5.0), 0.0]).expand(1, 3, 1, 2)
    # item 4 weighs 5, the other three 1 each
    expected = torch.tensor([5 / 8, 1 / 8, 5 / 8]).log()[:, None]
    value = target_log_probability(features, vectors, biases, history, Targets.of(torch.tensor([[4, 1, 4]])))
    torch.testing.assert_close(value, expected)


def test_the_newest_item_has_a_bias_of_its_own_beside_that_of_all_seen_items() -> None:
    history = torch.tensor([[4, 2, 4]])
    features, vectors = torch.zeros(1, 3, 1, 2), torch.zeros(4 + 1, 2)  # four items, all scores 0
    biases = torch.tensor([math.log(6.0), math.log(1 / 3)]).expand(1, 3, 1, 2)
    # after 4: it weighs 2 and the others 1; after 2: 4 weighs 6, 2 weighs 2; after 4 again: 4 weighs 2, 2 weighs 6
    expected = torch.tensor([2 / 5, 6 / 10, 6 / 10]).log()[:, None]
    value = target_log_probability(features, vectors, biases, history, Targets.of(torch.tensor([[4, 4, 2]])))
    torch.testing.assert_close(value, expected)


# ── what was seen ───────────────────────────────────────────────────────────────────────────────────────────────


def test_seen_is_what_the_history_up_to_the_mark_holds() -> None:
    rows = torch.tensor([[2, 3, 2, 1], [4, 0, 0, 0]])
    where = torch.tensor([[True, False, True, False], [True, False, False, False]])
    assert seen_items(rows, where, 5).tolist() == [
        [False, True, False, False, False],
        [False, True, True, False, False],
        [False, False, False, True, False],
    ]


@settings(max_examples=30)
@given(rows=st.lists(st.lists(items, min_size=1, max_size=12), min_size=1, max_size=4))
def test_seen_items_are_those_of_the_history_as_a_set(rows: list[list[int]]) -> None:
    history = padded(rows)
    where = marks(rows, history.shape[1])
    expected = [
        [item in row[: position + 1] for item in range(1, V + 1)] for row in rows for position in range(len(row))
    ]
    assert seen_items(history, where, V).tolist() == expected


def test_probabilities_of_a_branch_by_hand() -> None:
    features = torch.tensor([[[1.0, 0.0]]])
    vectors = torch.tensor([[9.0, 9.0], [math.log(2.0), 1.0], [0.0, 1.0], [0.0, 5.0]])  # row 0 is padding
    seen, biases = torch.tensor([[False, False, True]]), torch.tensor([[[math.log(3.0), math.log(0.5)]]])
    result = branch_log_probabilities(features, vectors, biases, seen).exp()
    torch.testing.assert_close(result, torch.tensor([[[2 / 6, 1 / 6, 3 / 6]]]))
    result = branch_log_probabilities(features, vectors, biases, seen, torch.tensor([3])).exp()
    torch.testing.assert_close(result, torch.tensor([[[4 / 9, 2 / 9, 3 / 9]]]))
