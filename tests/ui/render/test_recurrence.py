import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.ui.render.recurrence import below_by_chance, beyond_chance, recurrences, repeats_at, repeats_in_column


@given(st.integers(2, 12), st.integers(3, 6), st.integers(0, 11))
def test_an_item_every_nth_place_is_found_with_its_period_and_when_it_is_due(
    every: int, times: int, after: int
) -> None:
    after %= every
    history = []
    for turn in range(times):
        history += [f"filler-{turn}-{place}" for place in range(every - 1)] + ["coffee"]
    history += [f"last-{place}" for place in range(after)]
    (found,) = recurrences(history)
    assert (found.item_id, found.period, found.due) == ("coffee", every, every - 1 - after)


def test_an_item_seen_twice_or_at_uneven_distances_is_no_rhythm() -> None:
    assert recurrences(["a", "b", "c", "a", "d"]) == []
    assert recurrences(["a", "b", "a", "c", "d", "e", "f", "g", "a", "h", "i", "j", "a"]) == []


def test_what_repeats_at_a_period_is_named_by_position() -> None:
    history = ["a", "b", "c", "a", "x", "b", "a"]
    assert repeats_at(history, 3) == [0, 3, 6]
    assert repeats_at(history, 4) == [1, 5]
    assert repeats_at(history, 2) == []


def test_what_stands_below_its_like_in_rows_is_found_and_counted_against_chance() -> None:
    assert repeats_in_column(["a", "b", "a", "c", "a", "d"], 2) == [2, 4]
    assert below_by_chance(["a", "b"], 2) == 0
    history = ["a", "b", "a", "c", "a"]
    every = [len(repeats_in_column(order, 2)) for order in permutations(history)]
    assert below_by_chance(history, 2) == pytest.approx(sum(every) / len(every))


def test_a_rhythm_of_its_own_is_beyond_chance_beside_another_that_hides_it_in_the_spectrum() -> None:
    history = [f"filler-{place}" for place in range(48)]
    history[4::5] = ["milk"] * len(history[4::5])
    history[6::7] = ["coffee"] * len(history[6::7])
    coffee = next(one for one in recurrences(history) if one.item_id == "coffee")
    assert beyond_chance(history, coffee)


def test_chance_alone_holds_as_steady_an_item_in_few_histories_and_three_times_prove_nothing() -> None:
    chance = random.Random(1)
    names = [name for name in "abcdefgh" for _ in range(5)]
    wrong = 0
    for _ in range(100):
        chance.shuffle(names)
        wrong += any(beyond_chance(names, one) for one in recurrences(names))
    assert wrong <= 10  # 5 in 100 are to be expected
    thrice = ["a", "b", "c", "coffee", *"defghi", "coffee", *"jklmno", "coffee", *"pqrstu"]
    assert not beyond_chance(thrice, recurrences(thrice)[0])
