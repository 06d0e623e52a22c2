"""Several histories in one pass, against each of them read alone."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.inference.engine import InferenceEngine
from m2rec.inference.several import Several, log_probability, several
from tests.inference.test_engine import CATALOGUE, VARIANTS, engine, histories
from tests.places import CHECKPOINTS

TOLERANCE = 1e-5  # of float32: a log-probability of −20 has no more digits

shipped = cache(lambda world: InferenceEngine.from_folder(CHECKPOINTS / world))


def same_as_each_alone(used: InferenceEngine, items: np.ndarray, keep: np.ndarray | None, target: int) -> None:
    together = several(used, items, keep)
    seen = np.stack([used.seen(row) for row in items])
    found = log_probability(used, together, seen, target)
    for row, one in enumerate(items):
        alone = used.last(one.tolist(), keep)
        np.testing.assert_allclose(together.log_gate[row], alone.log_gate, atol=TOLERANCE, rtol=TOLERANCE)
        assert found[row] == pytest.approx(
            used.log_probabilities(alone, seen[row])[target - 1], abs=TOLERANCE, rel=2e-6
        )
        same_output(together, row, alone.outputs)


def same_output(together: Several, row: int, alone: object) -> None:
    for name, out in together.outputs.items():
        np.testing.assert_allclose(out.vectors[row], alone[name].vectors[0], atol=TOLERANCE, rtol=1e-4)
        if out.evidence is not None:
            np.testing.assert_allclose(out.evidence[row], alone[name].evidence[0], atol=TOLERANCE, rtol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
@given(items=histories, target=st.integers(1, CATALOGUE), data=st.data())
@settings(max_examples=10)
def test_an_item_in_the_place_of_each_other_is_read_as_it_is_alone(
    variant: str, items: list[int], target: int, data: st.DataObject
) -> None:
    used, given = engine(variant), np.array(items)
    keep = data.draw(st.none() | st.just(np.arange(len(used.band_periods)) % 2).map(lambda k: k.astype(np.float32)))
    each = np.array([0, *dict.fromkeys(items)])
    same_as_each_alone(
        used, np.where(given == each[:, None], data.draw(st.integers(1, CATALOGUE)), given), keep, target
    )


@pytest.mark.parametrize("variant", VARIANTS)
@given(length=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=5)
def test_histories_that_have_nothing_in_common_are_read_as_they_are_alone(variant: str, length: int, seed: int) -> None:
    used, dice = engine(variant), np.random.default_rng(seed)
    pool = dice.integers(1, CATALOGUE + 1, 6)
    same_as_each_alone(used, dice.choice(pool, (5, length)), None, int(pool[0]))


@pytest.mark.parametrize("world", ["rhythm-market", "gift-shop", "ml-1m"])
@pytest.mark.parametrize("length", [1, 2, 59, 333])
def test_the_shipped_worlds_read_several_as_each_alone(world: str, length: int) -> None:
    used, dice = shipped(world), np.random.default_rng(length)
    items = dice.integers(1, max(3, length // 2), length)
    each = dice.choice(items, 12)
    rows = np.where(items == np.array([0, *each])[:, None], 40, items)
    dropped = items[None].repeat(3, 0)
    dropped[1, -2:] = dropped[1, -2:][::-1]  # the last two change places
    dropped[2] = np.roll(dropped[2], 1)
    same_as_each_alone(used, np.concatenate([rows, dropped]), None, 7)
