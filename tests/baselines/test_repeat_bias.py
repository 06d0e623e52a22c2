"""The repeat bias of a baseline: a number that is added to the scores of seen items, and one for the newest of them."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from m2rec.baselines.registry import make_baseline
from m2rec.baselines.sequential import SequentialBaseline
from tests.baselines.conftest import ITEMS, SMALL, histories


def sasrec(*, repeat_bias: bool, start: float = 0.0) -> SequentialBaseline:
    torch.manual_seed(0)
    model = make_baseline("sasrec", ITEMS, ITEMS, settings=SMALL | {"repeat_bias": repeat_bias}, repeat_bias=start)
    assert isinstance(model, SequentialBaseline)
    with torch.no_grad():
        model.items.bias += torch.randn(ITEMS)
        model.items.ids += torch.randn(ITEMS, 16)
    return model.eval().requires_grad_(False)


def seen_at(items: Tensor) -> Tensor:
    """The items of the history up to each position. items (B, L) → bool (N, V)."""
    beginnings = [history[:end] for history in items for end in range(1, int((history > 0).sum()) + 1)]
    return torch.stack([F.one_hot(beginning, ITEMS + 1).sum(0)[1:] > 0 for beginning in beginnings])


def test_it_is_added_to_the_scores_of_the_history_before_the_softmax() -> None:
    items = histories((9, 1, 5))
    plain = sasrec(repeat_bias=False).log_scores(items, items > 0)
    expected = F.log_softmax(plain - 2.5 * seen_at(items), dim=-1)
    torch.testing.assert_close(sasrec(repeat_bias=True, start=-2.5).log_scores(items, items > 0), expected)


def test_at_zero_it_changes_nothing() -> None:
    items = histories()
    with_, without = sasrec(repeat_bias=True), sasrec(repeat_bias=False)
    torch.testing.assert_close(with_.log_scores(items, items > 0), without.log_scores(items, items > 0))
    targets = items.roll(-1, 1) * (items > 0)
    torch.testing.assert_close(with_(items, targets), without(items, targets))


def test_items_older_than_the_window_count_if_given() -> None:
    items = histories((9, 5, 12))
    model, plain = sasrec(repeat_bias=True, start=3.0), sasrec(repeat_bias=False)
    last = torch.arange(items.shape[1]) == (items > 0).sum(-1, keepdim=True) - 1
    for where in (last, items > 0):
        seen = torch.rand(int(where.sum()), ITEMS) < 0.5
        expected = F.log_softmax(plain.log_scores(items, where) + 3.0 * seen, dim=-1)
        torch.testing.assert_close(model.log_scores(items, where, seen), expected)


def test_the_newest_item_has_a_bias_of_its_own_that_starts_at_zero_and_is_learned() -> None:
    items = histories((9, 1, 5))
    model, plain = sasrec(repeat_bias=True, start=-2.5), sasrec(repeat_bias=False).log_scores(items, items > 0)
    assert model.newest_bias is not None
    assert model.newest_bias == 0
    model.newest_bias.fill_(0.7)
    newest = F.one_hot(items[items > 0], ITEMS + 1)[:, 1:]
    expected = F.log_softmax(plain - 2.5 * seen_at(items) + 0.7 * newest, dim=-1)
    torch.testing.assert_close(model.log_scores(items, items > 0), expected)
    last = torch.arange(items.shape[1]) == (items > 0).sum(-1, keepdim=True) - 1
    torch.testing.assert_close(model.log_scores(items, last), expected[last[items > 0]])

    model.train().requires_grad_(True)
    model(torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[0, 0, 0, 0, 9]])).backward()
    assert model.newest_bias.grad is not None
    assert float(model.newest_bias.grad) > 0  # the newest item was not chosen again


def test_scoring_without_the_seen_items_is_refused() -> None:
    model = sasrec(repeat_bias=True)
    with pytest.raises(ValueError, match="which items were seen"):
        model.score(torch.zeros(1, 16), model.items.table())


@pytest.mark.parametrize(("target", "direction"), [(9, -1), (2, 1)], ids=["a new item", "an item of the history"])
def test_it_is_learned_from_the_targets(target: int, direction: int) -> None:
    model = sasrec(repeat_bias=True).train().requires_grad_(True)
    model(torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[0, 0, 0, 0, target]])).backward()
    assert model.repeat_bias is not None
    assert model.repeat_bias.grad is not None
    assert -float(model.repeat_bias.grad) * direction > 0
