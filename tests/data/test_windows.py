import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.sequences import Sequences
from m2rec.data.windows import Windows

# Events are numbered through, so that every one differs from every other.
cases = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), min_size=1, max_size=8).map(
    lambda pairs: ([max(pair) for pair in pairs], np.array([min(pair) for pair in pairs]))  # lengths, train_end
)
window_lengths = st.integers(1, 6)


def numbered(counts: list[int]) -> Sequences:
    numbers = iter(range(1, sum(counts) + 1))
    return Sequences.from_lists([[next(numbers) for _ in range(count)] for count in counts])


def everything(windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    return windows.batch(np.arange(len(windows)))


def test_seven_events_in_windows_of_three():
    items, targets = everything(Windows.of_training(numbered([8]), np.array([8]), length=3))
    assert items.tolist() == [[1, 0, 0], [2, 3, 4], [5, 6, 7]]
    assert targets.tolist() == [[2, 0, 0], [3, 4, 5], [6, 7, 8]]
    assert items.dtype == targets.dtype == np.int64


@given(cases, window_lengths)
def test_every_training_event_but_the_first_is_a_target_exactly_once(case, length):
    counts, train_end = case
    sequences = numbered(counts)
    _, targets = everything(Windows.of_training(sequences, train_end, length))
    expected = [event for user, end in enumerate(train_end) for event in sequences[user][1:end].tolist()]
    assert sorted(targets[targets > 0].tolist()) == expected


@given(cases, window_lengths)
def test_a_target_is_the_event_after_its_input(case, length):
    counts, train_end = case
    items, targets = everything(Windows.of_training(numbered(counts), train_end, length))
    assert ((targets == items + 1) | ((items == 0) & (targets == 0))).all()


@given(cases, window_lengths)
def test_padding_stands_on_the_right_and_the_newest_window_is_the_fullest(case, length):
    counts, train_end = case
    windows = Windows.of_training(numbered(counts), train_end, length)
    items, _ = everything(windows)
    assert ((items > 0).sum(axis=1) == windows.sizes).all()
    assert (np.diff((items > 0).astype(int), axis=1) <= 0).all()
    for user, end in enumerate(train_end):
        sizes = windows.sizes[windows.users == user].tolist()
        assert sizes[1:] == [length] * (len(sizes) - 1)  # only the oldest may be short
        assert sum(sizes) == max(0, end - 1)


@given(cases, window_lengths, st.randoms(use_true_random=False))
def test_a_batch_holds_the_windows_asked_for_in_that_order(case, length, random):
    counts, train_end = case
    windows = Windows.of_training(numbered(counts), train_end, length)
    if not len(windows):
        return
    chosen = np.array([random.randrange(len(windows)) for _ in range(4)])
    every_items, every_targets = everything(windows)
    items, targets = windows.batch(chosen)
    assert items.tolist() == every_items[chosen].tolist()
    assert targets.tolist() == every_targets[chosen].tolist()


def test_a_window_without_inputs_is_refused():
    with pytest.raises(ValueError, match="at least one input"):
        Windows.of_training(numbered([3]), np.array([3]), length=0)
