"""The items of the history, compared with orders counted by hand."""

import torch

from m2rec.baselines.repeats import MostFrequent, MostRecent

COUNTS = torch.tensor([9, 7, 5, 3, 0])  # of items 1…5 in training
HISTORY = torch.tensor([[3, 4, 3, 2, 0, 0]])
LAST = torch.tensor([[False, False, False, True, False, False]])


def order(scores: torch.Tensor) -> list[int]:
    return (scores.argsort(dim=-1, descending=True) + 1).squeeze(0).tolist()


def test_the_most_frequent_come_first_and_the_more_recent_in_ties() -> None:
    assert order(MostFrequent(COUNTS).log_scores(HISTORY, LAST)) == [3, 2, 4, 1, 5]
    again = torch.tensor([[3, 2, 3, 4, 0, 0]])  # of 2 and 4 the other one is the later
    assert order(MostFrequent(COUNTS).log_scores(again, LAST)) == [3, 4, 2, 1, 5]


def test_the_most_recent_come_first() -> None:
    assert order(MostRecent(COUNTS).log_scores(HISTORY, LAST)) == [2, 3, 4, 1, 5]


def test_only_items_up_to_the_marked_position_count() -> None:
    where = torch.tensor([[True, True, False, False, False, False]])
    scores = MostRecent(COUNTS).log_scores(HISTORY, where)
    assert order(scores[:1]) == [3, 1, 2, 4, 5]
    assert order(scores[1:]) == [4, 3, 1, 2, 5]


def test_the_last_position_alone_gives_the_same() -> None:
    for model in (MostFrequent(COUNTS), MostRecent(COUNTS)):
        torch.testing.assert_close(model.last_scores(HISTORY), model.log_scores(HISTORY, LAST))


def test_items_chosen_before_the_window_come_after_it_and_before_new_items() -> None:
    seen = torch.tensor([[False, True, True, True, True]])
    assert order(MostFrequent(COUNTS).log_scores(HISTORY, LAST, seen)) == [3, 2, 4, 5, 1]
