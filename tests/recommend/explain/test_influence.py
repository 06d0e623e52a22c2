"""How much each item of a history adds, against one answer for each item that is left out."""

from functools import cache
from itertools import cycle, islice

import numpy as np
import pytest

from m2rec.inference.engine import InferenceEngine
from m2rec.recommend.explain.influence import influence
from m2rec.recommend.history import History
from m2rec.recommend.recommender import Recommender
from tests.places import CHECKPOINTS

TOLERANCE = 1e-5  # of float32, in which log-probabilities of −10 are a millionth apart

world = cache(lambda name: Recommender.from_pretrained(CHECKPOINTS / name))


def one_by_one(network: InferenceEngine, history: History, target: int, unknown: int) -> list[float]:
    """The same with an answer for each item that is left out."""

    def log_probability(without: int | None) -> float:
        items = [unknown if item == without else item for item in history.indices]
        return float(network.log_probabilities(network.last(items), history.seen(without))[target - 1])

    return [log_probability(None) - log_probability(item) for item in history.indices]


@pytest.mark.parametrize("name", ["rhythm-market", "gift-shop", "ml-1m"])
@pytest.mark.parametrize("length", [2, 17, 60, 230])
def test_it_is_what_one_answer_for_each_item_gives(name: str, length: int) -> None:
    used, dice = world(name), np.random.default_rng(length)
    few = [used.items[place].item_id for place in dice.integers(0, 60, 1 + length // 2)]
    history = [*islice(cycle(few), length - 2), few[0], used.items[70].item_id]
    read, _ = used.read(history)
    network, unknown = used.inventions.network_with_unknown([])
    for target in (used.catalogue.index(few[0]), 71, 200):
        found = influence(network, read, target, unknown)
        np.testing.assert_allclose(found, one_by_one(network, read, target, unknown), atol=TOLERANCE)
    assert len({*found}) > 1


def test_items_that_are_too_old_to_be_read_count_as_chosen() -> None:
    used = world("rhythm-market")
    read = History(["a", "b"], [3, 4], [5, 3], [], len(used.items))
    network, unknown = used.inventions.network_with_unknown([])
    for target in (3, 5):
        expected = one_by_one(network, read, target, unknown)
        assert influence(network, read, target, unknown) == pytest.approx(expected, abs=TOLERANCE)
