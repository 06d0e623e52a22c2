"""Batches of an epoch: every window once, a new order each epoch, little padding, an even split over processes."""

import numpy as np
import pytest

from m2rec.training.batches import epoch_batches, split_of_process

LENGTHS = np.random.default_rng(0).integers(1, 201, 1000)


def flat(batches: list[np.ndarray]) -> list[int]:
    return np.concatenate(batches).tolist()


def test_every_window_is_in_one_batch() -> None:
    batches = epoch_batches(LENGTHS, 32, seed=0, epoch=1)
    assert sorted(flat(batches)) == list(range(1000))
    assert max(map(len, batches)) == 32


def test_the_order_depends_only_on_epoch_and_seed() -> None:
    first = flat(epoch_batches(LENGTHS, 32, seed=0, epoch=1))
    assert first == flat(epoch_batches(LENGTHS, 32, seed=0, epoch=1))
    assert first != flat(epoch_batches(LENGTHS, 32, seed=0, epoch=2))
    assert first != flat(epoch_batches(LENGTHS, 32, seed=1, epoch=1))


def test_windows_of_a_batch_have_similar_lengths_and_batches_are_shuffled() -> None:
    batches = epoch_batches(LENGTHS, 32, seed=0, epoch=1)
    spread = np.mean([np.ptp(LENGTHS[batch]) for batch in batches])
    assert spread < 40  # it is about 190 for batches of random windows
    longest = [int(LENGTHS[batch].max()) for batch in batches]
    assert longest != sorted(longest)


@pytest.mark.parametrize("processes", [1, 3, 40])
def test_a_batch_is_shared_evenly(processes: int) -> None:
    parts = [split_of_process(np.arange(32), rank, processes) for rank in range(processes)]
    assert sorted(flat(parts)) == list(range(32))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
