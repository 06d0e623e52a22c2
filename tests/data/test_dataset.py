import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.dataset import Dataset, chronological


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), max_size=20))
def test_events_of_one_moment_keep_the_order_of_the_file(rows):
    table = pd.DataFrame({"user": [user for user, _ in rows], "line": range(len(rows))})
    moments = np.array([moment for _, moment in rows], dtype=float)
    ordered = chronological(table, moments)
    for user, part in ordered.groupby("user"):
        lines = [(moment, line) for line, (owner, moment) in enumerate(rows) if owner == user]
        assert part["line"].tolist() == [line for _, line in sorted(lines)]
        assert part["position"].tolist() == list(range(len(part)))
    assert ordered["user"].unique().tolist() == list(dict.fromkeys(user for user, _ in rows))


def test_a_data_set_without_a_needed_column_is_refused(toy):
    with pytest.raises(ValueError, match="the items of toy lack title, group"):
        Dataset("toy", toy.interactions, toy.items.drop(columns=["title", "group"]))
