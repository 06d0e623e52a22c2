"""The distribution that follows from who is due, against its definition."""

import math

import torch

from m2rec.model.frequency.recurrence import RecurrenceScores, recurrence_log_prob, recurrence_log_probs

NEVER = -1e4

DUE = RecurrenceScores(torch.tensor([[3, 1, 0], [5, 2, 4]]), torch.tensor([[2.0, NEVER, 0.0], [1.0, 0.5, -1.0]]))


def test_items_outside_the_history_share_what_is_left_evenly() -> None:
    """Five items: odds e² for item 3, none for item 1, 1 for the three others."""
    total = math.exp(2) + 3
    expected = torch.tensor([0.0, 1.0, math.exp(2), 1.0, 1.0]) / total
    torch.testing.assert_close(recurrence_log_probs(DUE, 5).exp()[0], expected)


def test_what_does_not_compete_takes_no_part() -> None:
    """With three items to choose from, items 5 and 4 of the second history are out."""
    total = math.exp(0.5) + 2
    expected = torch.tensor([1.0, math.exp(0.5), 1.0]) / total
    torch.testing.assert_close(recurrence_log_probs(DUE, 3).exp()[1], expected)


def test_a_target_has_the_probability_that_the_whole_table_gives_it() -> None:
    table = recurrence_log_probs(DUE, 5)
    for target in range(1, 6):
        chosen = recurrence_log_prob(DUE, torch.tensor([target, target]), 5)
        torch.testing.assert_close(chosen, table[:, target - 1])


def test_a_history_of_the_whole_catalogue_leaves_nothing_for_others() -> None:
    whole = RecurrenceScores(torch.tensor([[1, 2]]), torch.tensor([[0.0, math.log(3)]]))
    torch.testing.assert_close(recurrence_log_probs(whole, 2).exp()[0], torch.tensor([0.25, 0.75]))
