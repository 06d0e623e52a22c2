import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.sequences import Sequences
from m2rec.data.split import Split, by_user, global_temporal, leave_one_out
from m2rec.errors import DataError

lengths = st.lists(st.integers(0, 12), min_size=1, max_size=20)


def of_lengths(counts: list[int]) -> Sequences:
    return Sequences.from_lists([[1] * count for count in counts])


def arrays(split: Split) -> dict[str, list[int]]:
    return {name: values.tolist() for name, values in vars(split).items()}


def test_leave_one_out_holds_back_the_last_two_events():
    split = leave_one_out(of_lengths([5, 3, 2, 1, 0]))
    assert arrays(split) == {
        "train_end": [3, 1, 2, 1, 0],
        "validation_from": [3, 1, 2, 1, 0],
        "validation_to": [4, 2, 2, 1, 0],
        "test_from": [4, 2, 2, 1, 0],
        "test_to": [5, 3, 2, 1, 0],
    }


def test_targets_are_listed_by_user_and_oldest_first():
    start, end = np.array([1, 2, 0]), np.array([3, 2, 2])
    nothing = np.zeros(3, dtype=np.int64)
    users, positions = Split(nothing, start, end, nothing, nothing).targets("validation")
    assert users.tolist() == [0, 0, 2, 2]
    assert positions.tolist() == [1, 2, 0, 1]


@given(lengths, st.integers(0, 3), st.integers(1, 6))
def test_by_user_has_no_training_events_of_held_out_users(counts, seed, first_target):
    sequences = of_lengths(counts)
    split = by_user(sequences, validation_share=0.3, test_share=0.2, first_target=first_target, seed=seed)
    split.check(sequences.lengths)
    held_out = split.train_end < sequences.lengths
    for part in ("validation", "test"):
        users, positions = split.targets(part)
        assert (split.train_end[users] == 0).all()
        assert (positions >= first_target).all()
    for user in np.flatnonzero(held_out):
        asked = sum((split.targets(part)[0] == user).sum() for part in ("validation", "test"))
        assert asked == max(0, counts[user] - first_target)


def test_by_user_holds_out_the_shares_it_was_asked_for():
    sequences = of_lengths([30] * 50)
    split = by_user(sequences, validation_share=0.1, test_share=0.2, first_target=28, seed=1)
    assert len(np.unique(split.targets("validation")[0])) == 5
    assert len(np.unique(split.targets("test")[0])) == 10
    assert (split.train_end == 30).sum() == 35


def test_by_user_draws_the_same_users_for_the_same_seed_only():
    sequences = of_lengths([30] * 50)
    first, again, other = (by_user(sequences, seed=seed).train_end for seed in (3, 3, 4))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_global_temporal_puts_every_event_on_its_side_of_the_clock():
    #                                 ann: 0 10 20 30 40     bob: 5 35    cay: 45
    sequences, clock = of_lengths([5, 2, 1]), np.array([0, 10, 20, 30, 40, 5, 35, 45])
    split = global_temporal(sequences, clock, validation_share=0.25, test_share=0.25)
    # sorted: 0 5 10 20 | 30 35 | 40 45
    assert split.train_end.tolist() == [3, 1, 0]
    assert [list(map(int, rows)) for rows in split.targets("validation")] == [[0, 1], [3, 1]]
    assert [list(map(int, rows)) for rows in split.targets("test")] == [[0], [4]]  # cay's first event has no history


@given(st.lists(st.lists(st.integers(0, 30), max_size=6).map(sorted), min_size=1, max_size=8).filter(any))
def test_global_temporal_never_learns_from_an_event_at_or_after_a_target(clocks):
    sequences = of_lengths([len(clock) for clock in clocks])
    timestamps = np.array([moment for clock in clocks for moment in clock])
    split = global_temporal(sequences, timestamps, validation_share=0.2, test_share=0.2)
    split.check(sequences.lengths)
    learned = timestamps[sequences.positions < np.repeat(split.train_end, sequences.lengths)]
    for part in ("validation", "test"):
        users, positions = split.targets(part)
        asked = timestamps[sequences.offsets[users] + positions]
        assert not len(learned) or not len(asked) or learned.max() < asked.min()
        assert (positions >= 1).all()  # a first event has no history to be forecast from
    later = sequences.positions >= np.maximum(np.repeat(split.train_end, sequences.lengths), 1)
    assert later.sum() == sum(len(split.targets(part)[0]) for part in ("validation", "test"))  # all others are asked


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        (None, "needs a timestamp for every event"),
        (np.array([1, -1]), "needs a timestamp for every event"),
        (np.array([2, 1]), "in the order of its timestamps"),
    ],
)
def test_global_temporal_needs_a_clock(clock, message):
    with pytest.raises(DataError, match=message):
        global_temporal(of_lengths([2]), clock)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_end": np.array([4])}, "must not lie in the training part"),
        ({"test_to": np.array([6])}, "between 0 and the length"),
        ({"test_from": np.array([5]), "test_to": np.array([4])}, "must not end before it starts"),
        ({"test_from": np.array([4, 4])}, r"test_from must be int64 \(1,\)"),
    ],
)
def test_a_split_that_does_not_fit_its_sequences_is_refused(change, message):
    sequences = of_lengths([5])
    split = Split(**(vars(leave_one_out(sequences)) | change))
    with pytest.raises(ValueError, match=message):
        split.check(sequences.lengths)
