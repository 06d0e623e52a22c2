"""One rule orders what is recommended, what is graded day by day and what is scored in bulk."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from m2rec.recommend.ranking import LEFT_OUT, best_places, rank_in

rankings = st.lists(st.sampled_from((LEFT_OUT, 0.0, 0.1, 0.1, 0.7)), min_size=1, max_size=30)


def test_equal_items_rank_by_their_order_and_what_is_left_out_has_no_rank() -> None:
    ranking, order = np.array([0.2, 0.5, 0.2, -1.0, 0.2]), np.array([4, 3, 2, 1, 0])
    assert [rank_in(ranking, place, order) for place in range(5)] == [4, 1, 3, None, 2]
    assert best_places(ranking, 3, order).tolist() == [1, 4, 2]
    assert best_places(ranking, 9, order).tolist() == [1, 4, 2, 0]


@given(rankings, st.integers(1, 40), st.randoms(use_true_random=False))
def test_the_best_places_are_those_of_the_first_ranks(values: list[float], k: int, dice: Random) -> None:
    ranking = np.array(values)
    order = np.array(dice.sample(range(len(values)), len(values)))
    places = best_places(ranking, k, order).tolist()
    assert [rank_in(ranking, place, order) for place in places] == [*range(1, len(places) + 1)]
    assert len(places) == min(k, sum(value >= 0 for value in values))
    by_hand = sorted(
        (place for place in range(len(values)) if values[place] >= 0), key=lambda at: (-values[at], order[at])
    )
    assert places == by_hand[:k]
