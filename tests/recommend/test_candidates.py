from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.branches import BRANCHES, BranchName
from m2rec.recommend.candidates import skyband
from m2rec.recommend.recommender import Recommender
from tests.places import CHECKPOINTS


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_whatever_the_gate_the_first_k_are_among_the_skyband(seed: int, k: int, coarse: bool) -> None:
    chance = np.random.default_rng(seed)
    probabilities = chance.random((3, 40)) ** 4
    if coarse:
        probabilities = probabilities.round(1)  # many equal ones
    found = skyband(probabilities, k)
    for gate in [*np.eye(3), *chance.dirichlet([0.5] * 3, size=20)]:
        total = gate @ probabilities
        best = np.sort(total)[::-1][:k]
        assert np.sort(total[found])[::-1][:k] == pytest.approx(best, abs=1e-12)


def test_an_item_that_k_others_beat_everywhere_is_left_out() -> None:
    falling = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]])
    assert [len(skyband(falling, k)) for k in (1, 2, 3)] == [1, 2, 3]
    apart = np.eye(3)
    assert sorted(skyband(apart, 1)) == [0, 1, 2]


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(0, 300), st.booleans())
def test_the_skyband_is_that_of_its_definition(seed: int, k: int, count: int, coarse: bool) -> None:
    chance = np.random.default_rng(seed)
    rows = np.sort(chance.random((3, count)) ** 4, axis=1)  # most of them in the same order by all three
    rows = np.stack([row[np.argsort(chance.random(count) + np.arange(count) / 9)] for row in rows])
    rows = rows.round(2) if coarse else rows
    order = np.argsort(-rows.sum(0), kind="stable").tolist()
    beaten = [sum((rows[:, better] >= rows[:, one]).all() for better in order[:at]) for at, one in enumerate(order)]
    assert skyband(rows, k) == [one for one, times in zip(order, beaten, strict=True) if times < k]


@pytest.mark.parametrize("exclude_seen", [False, True])
def test_answers_under_any_gate_follow_from_the_candidates(shop: Recommender, exclude_seen: bool) -> None:
    history = [item.item_id for item in shop.items[:5]] * 2
    found = shop.candidates(history, k=4, exclude_seen=exclude_seen)
    for gate in ((1.0, 0.0, 0.0), (0.2, 0.5, 0.3), (0.0, 0.9, 0.1)):
        weights = dict(zip(BRANCHES, gate, strict=True))
        answer = shop.recommend(history, k=4, exclude_seen=exclude_seen, gate_override=weights)
        own = {one.item_id: {name: weights[name] * one.branches[name] for name in BRANCHES} for one in found}
        for item in answer.items:
            assert own[item.item_id] == pytest.approx(item.contributions, rel=1e-5, abs=1e-9)
        best = sorted((sum(parts.values()) for parts in own.values()), reverse=True)[:4]
        assert best == pytest.approx([item.probability for item in answer.items], rel=1e-5)
        sorted_as_on_the_page = sorted(found, key=lambda one: -sum(own[one.item_id].values()))
        assert [one.item_id for one in sorted_as_on_the_page[:4]] == [item.item_id for item in answer.items]
        assert all(higher >= lower for higher, lower in pairwise(best))


@pytest.mark.parametrize("name", ["rhythm-market", "gift-shop"])
@pytest.mark.parametrize("branch", BRANCHES)
def test_of_many_items_that_one_branch_finds_equally_likely_the_page_and_the_answer_show_the_same(
    name: str, branch: BranchName
) -> None:
    used = Recommender.from_pretrained(CHECKPOINTS / name)
    history = [used.items[place].item_id for place in (5, 40, 12, 5, 33, 300, 5)]
    weights = {one: float(one == branch) for one in BRANCHES}
    answer = used.recommend(history, k=10, gate_override=weights, spectrum=False)
    dragged = sorted(used.candidates(history, k=10), key=lambda one: -one.branches[branch])[:10]
    assert [one.item_id for one in dragged] == [item.item_id for item in answer.items]


def test_before_anything_was_chosen_there_are_none(shop: Recommender) -> None:
    assert shop.candidates([]) == []
