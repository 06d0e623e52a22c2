import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from m2rec.data.sequences import Sequences
from m2rec.data.split import Split, by_user, leave_one_out
from m2rec.errors import DataError
from m2rec.evaluation import protocol
from m2rec.evaluation.protocol import batches, evaluate
from tests.evaluation.toy import V, prepared_from


class Echo(nn.Module):
    """A causal stand-in: an item's score is how often and how lately it occurred, so that every event matters."""

    def __init__(self):
        super().__init__()
        self.widest = 0
        self.modes = []

    def log_scores(self, items, where, seen=None):
        self.widest = max(self.widest, items.shape[1])
        self.modes.append((self.training, torch.is_grad_enabled()))
        rows, places = where.nonzero(as_tuple=True)
        return torch.stack([echo(items[row, : place + 1]) for row, place in zip(rows, places, strict=True)])


def echo(history):
    assert (history > 0).all(), "padding stands before a marked position"
    age = len(history) - torch.arange(len(history), dtype=torch.float64)
    scores = torch.zeros(V + 1, dtype=torch.float64).index_add(0, history, 1 / age)
    return scores[1:]


def plain_ranks(prepared, part, max_length):
    """The plain twin of `evaluate`: one target, one history, one row at a time."""
    found = {"unmasked": [], "masked": []}
    for user in range(len(prepared.sequences)):
        events = prepared.sequences[user]
        for place in range(getattr(prepared.split, f"{part}_from")[user], getattr(prepared.split, f"{part}_to")[user]):
            scores = echo(torch.from_numpy(events[max(0, place - max_length) : place].astype(np.int64))).tolist()
            target = scores[events[place] - 1]
            for seen in found:
                if seen == "masked" and events[place] in events[:place]:
                    found[seen].append(math.nan)
                    continue
                others = [
                    scores[item - 1]
                    for item in range(1, V + 1)
                    if item != events[place] and (seen == "unmasked" or item not in events[:place])
                ]
                found[seen].append(1 + sum(s > target for s in others) + sum(s == target for s in others) / 2)
    return found


HISTORIES = st.lists(st.lists(st.integers(1, V), min_size=3, max_size=12), min_size=1, max_size=6)


@settings(max_examples=60)
@given(HISTORIES, st.integers(1, 14), st.sampled_from(["validation", "test"]), st.integers(1, 3), st.booleans())
def test_batches_and_shared_windows_change_no_rank(histories, max_length, part, rows_at_once, many_targets):
    sequences = Sequences.from_lists(histories)
    split = leave_one_out(sequences)
    if many_targets:  # every event but the first is a target
        ones, lengths = np.ones(len(histories), dtype=np.int64), sequences.lengths
        middle = (lengths + 1) // 2
        split = Split(np.zeros_like(ones), ones, middle, middle, lengths)
    prepared = prepared_from(histories, split)
    model = Echo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "ROWS_AT_ONCE", {"cpu": rows_at_once})
        patch.setattr(protocol, "SCORES_AT_ONCE", 5 * V)
        found = evaluate(model, prepared, part, max_length)
    expected = plain_ranks(prepared, part, max_length)
    for seen, values in found.ranks.items():
        np.testing.assert_array_equal(values, expected[seen])  # NaN equals NaN here
    assert model.widest <= max_length
    users, positions = split.targets(part)
    assert (found.users.tolist(), found.positions.tolist()) == (users.tolist(), positions.tolist())


def test_ranks_by_hand():
    # scores after 2, 3, 2 (ages 3, 2, 1): item 2 has 1/3 + 1, item 3 has 1/2, the rest 0
    found = evaluate(Echo(), prepared_from([[2, 3, 2, 3]]), "test", 10)
    assert found.ranks["unmasked"].tolist() == [2]
    assert np.isnan(found.ranks["masked"]).all()  # item 3 was chosen before, so it is not among what is new
    assert set(found.figures) == {"unmasked"}
    assert (found.count("unmasked"), found.count("masked")) == (1, 0)
    # validation: after 2, 3 item 3 leads with 1 against 1/2
    found = evaluate(Echo(), prepared_from([[2, 3, 2, 3]]), "validation", 10)
    assert found.ranks["unmasked"].tolist() == [2]
    assert found.figures["unmasked"]["MRR@10"] == 0.5


def test_a_cold_item_can_be_the_target_and_competes():
    # after 1, 1 all unseen items tie at 0: the cold item 7 shares places 2…7 with five others
    found = evaluate(Echo(), prepared_from([[1, 1, 7]]), "test", 10)
    assert found.ranks["unmasked"].tolist() == [4.5]
    assert found.ranks["masked"].tolist() == [3.5]


def test_masking_reaches_further_back_than_the_model_reads():
    # the model reads only the last 2 and scores all other items 0; of these, 1 and 3 were seen long ago
    found = evaluate(Echo(), prepared_from([[1, 3, 2, 2, 4]]), "test", 1)
    assert found.ranks["unmasked"].tolist() == [4.5]
    assert found.ranks["masked"].tolist() == [2.5]  # 4, 5, 6 and 7 share places 1…4


def test_one_window_serves_all_targets_whose_history_fits():
    histories = [[1, 2, 3, 4, 5, 6]]
    whole = np.array([6])
    split = Split(np.array([0]), np.array([2]), whole, whole, whole)
    (batch,) = batches(prepared_from(histories, split), "validation", 5)
    assert batch.items.tolist() == [[1, 2, 3, 4, 5]]
    assert batch.where.tolist() == [[False, True, True, True, True]]
    windows = [batch.items.tolist() for batch in batches(prepared_from(histories, split), "validation", 3)]
    assert windows == [[[1, 2, 3], [2, 3, 4], [3, 4, 5]]]


def test_the_model_is_asked_without_dropout_or_gradients_and_left_as_it_was():
    model = Echo().train()
    evaluate(model, prepared_from([[1, 2, 3]]), "test", 5)
    assert set(model.modes) == {(False, False)}
    assert model.training


def test_a_model_that_is_no_module_can_be_measured():
    class Counts:
        def log_scores(self, items, where, seen=None):
            return torch.arange(V, 0, -1).expand(int(where.sum()), V)

    found = evaluate(Counts(), prepared_from([[1, 2, 3], [4, 5, 6]]), "test", 5)
    assert found.ranks["unmasked"].tolist() == [3, 6]


def test_strangers_are_measured_at_every_event_from_the_first_target_on():
    histories = [[1, 2, 3, 4, 5]] * 10
    split = by_user(Sequences.from_lists(histories), first_target=2)
    found = evaluate(Echo(), prepared_from(histories, split), "test", 10)
    assert found.positions.tolist() == [2, 3, 4]


def test_a_part_without_targets_is_refused():
    with pytest.raises(DataError, match="toy has no test targets"):
        evaluate(Echo(), prepared_from([[1, 2]]), "test", 5)


def test_a_target_without_a_history_is_refused():
    zero, two = np.array([0]), np.array([2])
    with pytest.raises(DataError, match="first event"):
        evaluate(Echo(), prepared_from([[1, 2]], Split(zero, zero, two, two, two)), "validation", 5)


def test_a_model_is_given_the_items_of_the_whole_history():
    given = []

    class Asked:
        def log_scores(self, items, where, seen=None):
            given.append((items.tolist(), (seen[0].nonzero()[:, 0] + 1).tolist()))
            return torch.zeros(int(where.sum()), V)

    evaluate(Asked(), prepared_from([[1, 3, 2, 2, 4]]), "test", 1)
    assert given == [([[2]], [1, 2, 3])]
