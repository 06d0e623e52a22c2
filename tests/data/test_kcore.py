import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.dataset import Dataset
from m2rec.data.kcore import k_core
from m2rec.errors import DataError


def dataset(pairs: list[tuple[str, str]], catalogue: str = "abcd") -> Dataset:
    interactions = pd.DataFrame(pairs, columns=["user", "item"], dtype="str")
    items = pd.DataFrame({"item": list(catalogue), "title": "", "text": "", "group": ""})
    return Dataset("toy", interactions.assign(position=range(len(pairs))), items)


def test_dropping_an_item_can_drop_a_user_who_then_drops_another_item():
    # c has one chooser and falls, so z keeps only b and falls, so b keeps only y and falls, so y keeps only a and falls
    pairs = [("x", "a"), ("x", "d"), ("w", "a"), ("w", "d"), ("y", "a"), ("y", "b"), ("z", "b"), ("z", "c")]
    core = k_core(dataset(pairs), 2)
    assert list(zip(core.interactions["user"], core.interactions["item"], strict=True)) == pairs[:4]
    assert core.items["item"].tolist() == ["a", "d"]


def test_without_a_minimum_even_items_without_any_choice_stay():
    given_set = dataset([("x", "a")])
    assert k_core(given_set, 0).items["item"].tolist() == ["a", "b", "c", "d"]


def test_an_empty_core_is_an_error_that_says_what_to_change():
    with pytest.raises(DataError, match="No user and item of toy have 2 interactions each; lower min_count"):
        k_core(dataset([("x", "a"), ("y", "b")]), 2)


@given(st.lists(st.tuples(st.sampled_from("uvwxyz"), st.sampled_from("abcd")), min_size=1), st.integers(1, 3))
def test_all_remaining_users_and_items_have_enough_events_and_the_order_stays(pairs, minimum):
    given_set = dataset(pairs)
    try:
        core = k_core(given_set, minimum)
    except DataError:
        return
    assert core.interactions["user"].value_counts().min() >= minimum
    assert core.interactions["item"].value_counts().min() >= minimum
    assert core.interactions["position"].is_monotonic_increasing
    assert set(core.items["item"]) == set(core.interactions["item"])
