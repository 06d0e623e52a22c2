from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from m2rec.data.prepare import prepare
from m2rec.data.split import leave_one_out
from m2rec.errors import DataError


def test_items_are_numbered_by_popularity_in_the_training_part_and_cold_ones_come_last(toy, encoder):
    # training parts: ann b a b | bob c b (too short to hold anything back) | cay c → b 3, c 2, a 1, d 0, e 0
    prepared = prepare(toy, leave_one_out, encoder)
    assert prepared.item_ids == ["b", "c", "a", "d", "e"]
    assert prepared.train_counts.tolist() == [3, 2, 1, 0, 0]
    assert prepared.warm_items == 3
    assert prepared.titles == ["B", "C", "A", "D", "E"]
    assert prepared.texts[2:4] == ["", "text of d"]
    assert prepared.index_of["a"] == 3


def test_sequences_are_in_order_and_by_first_appearance(toy, encoder):
    prepared = prepare(toy, leave_one_out, encoder)
    assert prepared.user_ids == ["ann", "bob", "cay"]
    assert [sequence.tolist() for sequence in prepared.sequences] == [[1, 3, 1, 2, 4], [2, 1], [2]]
    assert prepared.timestamps.tolist() == [100, 110, 120, 130, 140, 50, 60, 70]
    assert prepared.split.train_end.tolist() == [3, 2, 1]


def test_rows_may_come_in_any_order(toy, encoder):
    shuffled = toy.interactions.iloc[[0, 1, 7, 5, 6, 2, 4, 3]]
    again = prepare(replace(toy, interactions=shuffled), leave_one_out, encoder)
    assert again.fingerprint == prepare(toy, leave_one_out, encoder).fingerprint


def test_text_vectors_stand_at_their_item_index(toy, encoder):
    prepared = prepare(toy, leave_one_out, encoder)
    assert prepared.text_vectors.shape == (6, 4)
    assert not prepared.text_vectors[0].any()
    assert not prepared.text_vectors[3].any()  # "a" has no text
    np.testing.assert_array_equal(prepared.text_vectors[4], encoder.encode(["text of d"])[0])


def test_ties_in_popularity_are_broken_by_id(toy, encoder):
    level = replace(toy, interactions=pd.DataFrame({"user": list("xyz"), "item": list("cab"), "position": 0}))
    prepared = prepare(level, leave_one_out, encoder)
    assert prepared.item_ids == ["a", "b", "c", "d", "e"]
    assert prepared.timestamps is None


def test_an_item_that_the_catalogue_lacks_is_an_error(toy, encoder):
    lacking = replace(toy, items=toy.items[toy.items["item"] != "c"].reset_index(drop=True))
    with pytest.raises(DataError, match="toy name the item 'c', which its items table lacks"):
        prepare(lacking, leave_one_out, encoder)


def test_a_split_without_a_training_part_is_an_error(toy, encoder):
    def nothing(sequences, timestamps):
        split = leave_one_out(sequences)
        return replace(split, train_end=np.zeros_like(split.train_end))

    with pytest.raises(DataError, match="leaves nothing of toy to learn from"):
        prepare(toy, nothing, encoder)
