import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.sequences import Sequences

histories = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=6)


@given(histories)
def test_what_goes_in_comes_out(rows):
    sequences = Sequences.from_lists(rows)
    assert [sequence.tolist() for sequence in sequences] == rows
    assert sequences.lengths.tolist() == [len(row) for row in rows]


@given(histories)
def test_positions_count_from_zero_within_each_user(rows):
    assert Sequences.from_lists(rows).positions.tolist() == [t for row in rows for t in range(len(row))]


def test_a_sequence_is_a_view_and_not_a_copy():
    sequences = Sequences.from_lists([[1, 2], [3]])
    assert np.shares_memory(sequences[1], sequences.events)


@pytest.mark.parametrize("user", [-1, 2])
def test_a_user_who_does_not_exist_is_refused(user):
    with pytest.raises(IndexError, match=f"user {user} is not in 0…1"):
        Sequences.from_lists([[1], [2]])[user]


@pytest.mark.parametrize(
    ("events", "offsets", "message"),
    [
        (np.array([1], np.int64), np.array([0, 1]), "events must be int32"),
        (np.array([1], np.int32), np.array([0, 1], np.int32), "offsets must be int64"),
        (np.array([1], np.int32), np.array([0, 2]), "offsets must rise from 0 to the number of events"),
        (np.array([1, 1], np.int32), np.array([0, 2, 1, 2]), "offsets must rise"),
        (np.array([1, 0], np.int32), np.array([0, 2]), "item indices start at 1"),
    ],
)
def test_arrays_that_are_no_sequences_are_refused(events, offsets, message):
    with pytest.raises(ValueError, match=message):
        Sequences(events, offsets)
