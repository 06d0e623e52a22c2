"""One rule orders what is recommended, what is graded day by day and what is scored in bulk."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from m2rec.recommend.ranking import LEFT_OUT, best_places, rank_in

rankings = st.lists(st.sampled_from((LEFT_OUT, 0.0, 0.1, 0.1, 0.7)), min_size=1, max_size=30)


def test_equal_items_rank_by_what_all_branches_say_and_what_is_left_out_has_no_rank() -> None:
    ranking = np.array([0.2, 0.5, 0.2, -1.0, 0.2])
    branches = np.array([[0.1, 0, 0.2, 0.9, 0.2], [0.1, 0, 0.1, 0.9, 0.1]])
    assert [rank_in(ranking, place, branches) for place in range(5)] == [4, 1, 2, None, 3]
    assert best_places(ranking, 3, branches).tolist() == [1, 2, 4]
    assert best_places(ranking, 9, branches).tolist() == [1, 2, 4, 0]


@given(rankings, st.integers(1, 40), st.randoms(use_true_random=False))
def test_the_best_places_are_those_of_the_first_ranks(values: list[float], k: int, dice: Random) -> None:
    ranking = np.array(values)
    branches = np.array([[dice.choice((0.0, 0.25, 0.5)) for _ in values] for _ in range(3)])
    places = best_places(ranking, k, branches).tolist()
    assert [rank_in(ranking, place, branches) for place in places] == [*range(1, len(places) + 1)]
    assert len(places) == min(k, sum(value >= 0 for value in values))
    by_hand = sorted(
        (place for place in range(len(values)) if values[place] >= 0),
        key=lambda at: (-values[at], -branches[:, at].sum(), at),
    )
    assert places == by_hand[:k]
