"""How much each item of a history adds, against one answer for each item that is left out."""

from functools import cache
from itertools import cycle, islice

import numpy as np
import pytest

from m2rec.branches import BRANCHES
from m2rec.inference.engine import InferenceEngine
from m2rec.recommend.explain.influence import influence
from m2rec.recommend.history import History
from m2rec.recommend.recommender import Recommender
from tests.places import CHECKPOINTS

TOLERANCE = 1e-5  # of float32, in which log-probabilities of −10 are a millionth apart

world = cache(lambda name: Recommender.from_pretrained(CHECKPOINTS / name))


def one_by_one(
    network: InferenceEngine,
    history: History,
    target: int,
    unknown: int,
    gate: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> list[float]:
    """The same with an answer for each item that is left out."""

    def log_probability(without: int | None) -> float:
        items = [unknown if item == without else item for item in history.indices]
        position, seen = network.last(items, keep), history.seen(without)
        if gate is None:
            return float(network.log_probabilities(position, seen)[target - 1])
        return float(np.log(gate @ network.distributions(position, seen)[:, target - 1].astype(np.float64)))

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
        expected = one_by_one(network, read, target, unknown)
        np.testing.assert_allclose(found, expected, atol=2 * TOLERANCE)  # each is a difference of two log-probabilities
    assert len({*found}) > 1


@pytest.mark.parametrize("gate", [None, (0.2, 0.5, 0.3), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)])
@pytest.mark.parametrize("muted", [(), ((6.5, 7.5), (2.0, 3.0))])
def test_it_is_that_of_the_gate_and_the_bands_in_force(gate, muted) -> None:
    used = world("rhythm-market")
    coffee, others = used.items[3].item_id, [one.item_id for one in used.items[10:28]]
    history = [item for week in range(3) for item in (*others[6 * week :][:6], coffee)]
    weights = gate and dict(zip(BRANCHES, gate, strict=True))
    found = used.influence(history, coffee, weights, muted)
    read, _ = used.read(history)
    network, unknown = used.inventions.network_with_unknown([])
    given = None if gate is None else np.array(gate)
    target = used.catalogue.index(coffee)
    expected = one_by_one(network, read, target, unknown, given, used.band_keep(muted))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_items_that_are_too_old_to_be_read_count_as_chosen() -> None:
    used = world("rhythm-market")
    read = History(["a", "b"], [3, 4], [5, 3], [], len(used.items))
    network, unknown = used.inventions.network_with_unknown([])
    for target in (3, 5):
        expected = one_by_one(network, read, target, unknown)
        assert influence(network, read, target, unknown) == pytest.approx(expected, abs=TOLERANCE)
