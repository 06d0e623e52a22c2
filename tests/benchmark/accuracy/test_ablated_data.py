"""What ablations change in the data, and what they do not."""

import numpy as np
import pytest

from m2rec.benchmark.accuracy.ablated_data import ablated
from m2rec.data.prepared import Prepared


def test_shuffling_keeps_items_and_targets_of_every_user_but_not_the_order(prepared: Prepared) -> None:
    shuffled = ablated(prepared, "order-shuffled", seed=0)
    moved = 0
    for user, end in enumerate(prepared.split.train_end):
        before, after = prepared.sequences[user], shuffled.sequences[user]
        assert sorted(before) == sorted(after)
        assert np.array_equal(before[end:], after[end:])
        moved += int((before[:end] != after[:end]).sum())
    assert moved > 100
    assert np.array_equal(prepared.train_counts, shuffled.train_counts)


def test_permuted_texts_are_the_same_texts_on_other_items(prepared: Prepared) -> None:
    vectors = ablated(prepared, "text-permuted", seed=0).text_vectors
    assert not vectors[0].any()
    assert not np.array_equal(vectors, prepared.text_vectors)
    assert sorted(map(tuple, vectors)) == sorted(map(tuple, prepared.text_vectors))


def test_removed_texts_are_zeros(prepared: Prepared) -> None:
    assert not ablated(prepared, "text-removed", seed=0).text_vectors.any()


@pytest.mark.parametrize("treatment", ["none", "text-permuted", "text-removed"])
def test_treatments_of_texts_do_not_change_the_sequences(prepared: Prepared, treatment) -> None:
    assert ablated(prepared, treatment, seed=0).fingerprint == prepared.fingerprint


@pytest.mark.parametrize("treatment", ["order-shuffled", "text-permuted"])
def test_the_same_seed_gives_the_same_treatment(prepared: Prepared, treatment) -> None:
    def state(seed: int) -> tuple[bytes, bytes]:
        made = ablated(prepared, treatment, seed)
        return made.sequences.events.tobytes(), made.text_vectors.tobytes()

    assert state(1) == state(1) != state(2)
