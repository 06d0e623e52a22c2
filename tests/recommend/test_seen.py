"""Already chosen means the whole history, also where the model reads only its newest part: here and in `evaluate`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences
from m2rec.data.settings import DataSettings
from m2rec.data.sources.registry import load_dataset
from m2rec.data.split import leave_one_out
from m2rec.errors import InputError
from m2rec.evaluation.protocol import evaluate
from m2rec.recommend.options import LONGEST_HISTORY, MOST_ITEMS
from m2rec.recommend.recommender import Recommender
from tests.places import CHECKPOINTS
from tests.tiny_world import MAX_HISTORY, tiny_items

IDS = [item.item_id for item in tiny_items()]


def prepared_of(world: Recommender, histories: list[list[int]]) -> Prepared:
    """Users with these histories of a world's items, the last item of each to be ranked."""
    items, warm = world.config.model.items, world.config.model.warm_items
    sequences = Sequences.from_lists(histories)
    return Prepared(
        name=world.name,
        sequences=sequences,
        split=leave_one_out(sequences),
        user_ids=[f"u{user}" for user in range(len(histories))],
        item_ids=[item.item_id for item in world.items],
        titles=[""] * items,
        texts=[""] * items,
        groups=[""] * items,
        warm_items=warm,
        train_counts=np.repeat([1, 0], [warm, items - warm]),
        text_vectors=np.zeros((items + 1, 2), dtype=np.float32),
    )


def assert_recommend_ranks_as_evaluate_does(world: Recommender, histories: list[list[int]]) -> None:
    """The rank that `evaluate` gives each last item is its place in what `recommend` answers to the items before it."""
    found = evaluate(world.model, prepared_of(world, histories), "test", world.max_history)
    for row, (*history, target) in enumerate(histories):
        names = [world.catalogue[index].item_id for index in history]
        answer = world.recommend(names, k=MOST_ITEMS, spectrum=False)
        unseen = world.recommend(names, k=MOST_ITEMS, exclude_seen=True, spectrum=False)
        assert not {item.item_id for item in unseen.items} & set(names)
        wanted = world.catalogue[target].item_id
        assert place_of(wanted, answer.items) == shown(found.ranks["unmasked"][row])
        if target in history:  # it is not among what is new
            assert np.isnan(found.ranks["masked"][row])
            assert place_of(wanted, unseen.items) is None
        else:
            assert place_of(wanted, unseen.items) == shown(found.ranks["masked"][row])


def place_of(item_id: str, items: list[Any]) -> int | None:
    return next((item.rank for item in items if item.item_id == item_id), None)


def shown(rank: float) -> int | None:
    """A rank among so many items as an answer may hold; None beyond them."""
    return int(rank) if rank <= MOST_ITEMS else None


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(1, len(IDS)), min_size=3, max_size=3 * MAX_HISTORY), min_size=1, max_size=3))
def test_recommend_ranks_what_evaluate_ranks(shop: Recommender, histories: list[list[int]]) -> None:
    assert_recommend_ranks_as_evaluate_does(shop, histories)


def long_histories(world: Recommender, users: int) -> list[list[int]]:
    """Histories of up to twice what the model reads. Old items come first and never again."""
    chance = np.random.default_rng(4)
    old, new = np.array_split(chance.permutation(world.config.model.items) + 1, 2)
    rows = []
    for _ in range(users):
        length = int(chance.integers(world.max_history, 2 * world.max_history))
        rows.append([*chance.choice(old, length - world.max_history // 2), *chance.choice(new, world.max_history // 2)])
        rows[-1].append(chance.choice(rows[-1][: length // 3]))
    return [[int(item) for item in row] for row in rows]


@pytest.mark.parametrize("name", ["rhythm-market", "ml-1m"])
def test_the_shipped_worlds_know_made_up_histories_that_are_longer_than_they_read(name: str) -> None:
    world = Recommender.from_pretrained(CHECKPOINTS / name)
    assert_recommend_ranks_as_evaluate_does(world, long_histories(world, 8))


def test_the_longest_histories_of_movielens_are_known_whole(real_data: Path) -> None:
    world = Recommender.from_pretrained(CHECKPOINTS / "ml-1m")
    index_of = {item.item_id: index for index, item in enumerate(world.items, start=1)}
    events = load_dataset(DataSettings(source="ml-1m")).interactions
    by_user = events.sort_values(["user", "position"]).groupby("user")["item"]
    longest = sorted(([index_of[item] for item in items] for _, items in by_user), key=len)[-40:]
    assert len(longest[0]) > world.max_history
    assert_recommend_ranks_as_evaluate_does(world, longest)


def test_live_and_recommend_leave_out_the_same_items(shop: Recommender) -> None:
    old, new = IDS[:10], (IDS[10:20] * 5)[:MAX_HISTORY]
    live = shop.start([*old, *new]).answer(k=MOST_ITEMS, exclude_seen=True)
    assert {item.item_id for item in live.items} == set(IDS[20:])
    answer = shop.recommend([*old, *new], k=MOST_ITEMS, exclude_seen=True)
    assert {item.item_id for item in answer.items} == set(IDS[20:])
    assert answer.history == new
    assert answer.notes == ["The model read the newest 40 of 50 items; the older ones count as already chosen."]


def test_the_repeat_bias_covers_items_that_are_too_old_to_be_read(shop: Recommender) -> None:
    new = (IDS[10:20] * 5)[:MAX_HISTORY]
    without, with_it = (shop.recommend([*old, *new], k=MOST_ITEMS) for old in ([], ["i25"]))
    before, after = (next(i for i in answer.items if i.item_id == "i25") for answer in (without, with_it))
    odds = np.log(after.contributions["temporal"] / (with_it.gates["temporal"] - after.contributions["temporal"]))
    odds -= np.log(before.contributions["temporal"] / (without.gates["temporal"] - before.contributions["temporal"]))
    assert odds == pytest.approx(float(shop.checkpoint.weights["temporal.softmax.repeat_bias"]), abs=1e-4)


def test_an_unknown_title_is_refused_however_old_it_is(shop: Recommender) -> None:
    with pytest.raises(InputError, match="“Ground cofee” is not in this world"):
        shop.recommend(["Ground cofee", *["i01"] * MAX_HISTORY])


def test_an_old_item_of_ones_own_words_needs_no_encoder(shop: Recommender, encoder: Any) -> None:
    history = ["~jam", *["i01"] * MAX_HISTORY]
    assert shop.recommend(history).items == shop.recommend(history[1:]).items
    assert encoder.calls == []


def test_more_than_anybody_chose_is_refused_in_one_sentence(shop: Recommender) -> None:
    with pytest.raises(InputError, match="a list of at most 100,000 titles or ids, not 100,001; give the newest"):
        shop.recommend(["i01"] * (LONGEST_HISTORY + 1))


def test_leaving_one_out_counts_items_that_are_too_old_to_be_read(shop: Recommender) -> None:
    history = ["i25", *(IDS[10:20] * 5)[:MAX_HISTORY]]
    log_odds = shop.influence(history, "i25")
    assert len(log_odds) == MAX_HISTORY
    assert shop.influence(history[1:], "i25") != pytest.approx(log_odds, abs=1e-4)
