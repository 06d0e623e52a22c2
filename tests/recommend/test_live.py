"""A history that grows one item at a time gives the answers of the whole history."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.errors import InputError
from m2rec.recommend.answer import Answer
from m2rec.recommend.recommender import Recommender
from tests.tiny_world import MAX_HISTORY, tiny_items

IDS = [item.item_id for item in tiny_items()]


def assert_same(live: Answer, whole: Answer) -> None:
    """The same items in the same order, and the same numbers but for rounding."""
    assert live.world == whole.world
    assert live.history == whole.history
    assert [item.item_id for item in live.items] == [item.item_id for item in whole.items]
    for mine, theirs in zip(live.items, whole.items, strict=True):
        assert mine.contributions == pytest.approx(theirs.contributions, abs=1e-4)
    assert live.gates == pytest.approx(whole.gates, abs=1e-4)
    for mine, theirs in zip(live.gate_history, whole.gate_history, strict=True):
        assert mine == pytest.approx(theirs, abs=1e-4)


@settings(max_examples=10)
@given(history=st.lists(st.sampled_from(IDS), min_size=1, max_size=MAX_HISTORY))
def test_item_for_item_the_answer_is_that_to_the_whole_history(shop: Recommender, history: list[str]) -> None:
    live = shop.start()
    for place, item in enumerate(history, start=1):
        assert_same(live.add(item), shop.recommend(history[:place], spectrum=False))
    assert len(live) == len(history)


def test_a_history_given_at_the_start_is_one_that_was_added(shop: Recommender) -> None:
    assert_same(shop.start(["i03", "Oat milk", 7]).answer(), shop.recommend(["i03", "i01", "7"]))


def test_before_the_first_item_it_answers_as_an_empty_history_does(shop: Recommender) -> None:
    assert shop.start().answer(k=5) == shop.recommend([], k=5)


def test_seen_items_are_left_out_on_request(shop: Recommender) -> None:
    history = ["i00", "i01", "i02"]
    assert_same(shop.start(history).answer(k=30, exclude_seen=True), shop.recommend(history, k=30, exclude_seen=True))


def test_its_answer_keeps_the_rules_of_every_answer(shop: Recommender) -> None:
    answer = shop.start(["i00", "i01", "i02"]).answer(spectrum=True)
    assert type(answer).model_validate(answer.model_dump()) == answer  # it is made without these checks


def test_the_spectrum_on_request_is_that_of_the_whole_history(shop: Recommender) -> None:
    history = ["i00", "i08", "i16", "i21"] * 6
    live, whole = shop.start(history).answer(spectrum=True).spectrum, shop.recommend(history).spectrum
    assert live is not None
    assert whole is not None
    assert live.significant == whole.significant
    assert live.power == pytest.approx(whole.power, abs=1e-4)
    assert live.filter_gain == pytest.approx(whole.filter_gain, abs=1e-3)
    assert shop.start(history).answer().spectrum is None


@pytest.mark.parametrize("item", ["zzzz", None, 1.5])
def test_an_item_that_is_refused_leaves_the_state_as_it_was(shop: Recommender, item: Any) -> None:
    live = shop.start(["i00", "i01"])
    before = live.answer()
    with pytest.raises(InputError):
        live.add(item)
    assert live.answer() == before
    assert_same(live.add("i02"), shop.recommend(["i00", "i01", "i02"]))


def test_a_number_of_items_out_of_range_is_refused_and_the_item_stays(shop: Recommender) -> None:
    live = shop.start(["i00"])
    with pytest.raises(InputError, match="from 1 to 50"):
        live.answer(k=0)
    assert_same(live.answer(), shop.recommend(["i00"]))


def test_two_histories_from_one_world_do_not_mix(shop: Recommender) -> None:
    first, second = shop.start(["i00"]), shop.start(["i09"])
    first.take("i01")
    second.take("i10")
    assert_same(first.answer(), shop.recommend(["i00", "i01"]))
    assert_same(second.answer(), shop.recommend(["i09", "i10"]))


def test_an_answer_given_earlier_does_not_grow_with_the_history(shop: Recommender) -> None:
    live = shop.start(["i00"])
    earlier = live.answer()
    live.add("i01")
    assert earlier.history == ["i00"]
    assert len(earlier.gate_history) == 1


def test_items_of_ones_own_words_are_taken_too(shop: Recommender, encoder: Any) -> None:
    history = ["i00", "~jam", "i01", "~jam", "~tea"]
    assert_same(shop.start(history).answer(), shop.recommend(history))


def test_nothing_is_forgotten_at_the_longest_history_and_the_state_does_not_grow(shop: Recommender) -> None:
    history = (IDS * 3)[: MAX_HISTORY + 20]
    live = shop.start(history[:MAX_HISTORY])
    at_the_limit = vars(live)["_state"].nbytes
    for item in history[MAX_HISTORY:]:
        live.take(item)
    assert live.answer().history == history
    assert vars(live)["_state"].nbytes == at_the_limit


def test_only_items_of_ones_own_words_need_the_text_encoder(shop: Recommender, encoder: Any) -> None:
    live = shop.start(["i00"])
    live.add("i01")
    assert encoder.calls == []
    live.add("~jam")
    assert encoder.calls == [["jam"]]
