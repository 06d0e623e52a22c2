"""A history played in one pass, against the answer to each of its beginnings."""

import numpy as np
import pytest

from m2rec.errors import InputError
from m2rec.recommend.explain.days import GUESSES, guesses
from m2rec.recommend.recommender import Recommender
from tests.inference.test_engine import CHECKPOINTS, VARIANTS
from tests.tiny_world import tiny_checkpoint, tiny_items

QUESTIONS: dict[str, dict[str, object]] = {
    "as it is": {},
    "muted bands": {"band_mask": [(6.0, 8.0)]},
    "a gate of one's own": {"gate_override": {"temporal": 0.2, "frequency": 0.5, "semantic": 0.3}},
    "seen items hidden": {"exclude_seen": True},
}


def as_recommended(world: Recommender, history: list[str], asked: dict[str, object]) -> None:
    found = guesses(world, history, **asked)  # type: ignore[arg-type]
    read = history[-world.max_history :]
    older = history[: len(history) - len(read)]
    assert [day.read for day in found] == list(range(1, len(read) + 1))
    for day in found[:: max(1, len(found) // 25)] + found[-2:]:
        answer = world.recommend(read[: day.read], k=50, spectrum=False, **asked)  # type: ignore[arg-type]
        items = answer.items
        if older:  # what is not read any more counts as seen; without it the beginning is another question
            continue
        assert day.gate == pytest.approx(answer.gates, abs=1e-4)
        assert [one.probability for one in day.guesses] == pytest.approx(
            [item.probability for item in items[:GUESSES]], abs=1e-4
        )
        for guess in day.guesses:
            same = next(item for item in items if item.item_id == guess.item_id)
            assert guess.contributions == pytest.approx(same.contributions, abs=1e-4)
            assert sum(guess.contributions.values()) == pytest.approx(guess.probability)
        if day.read == len(read):
            assert (day.actual, day.rank, day.probability) == (None, None, None)
            continue
        assert day.actual == read[day.read]
        listed = {item.item_id: item for item in items}
        if day.rank is not None and day.actual in listed:
            assert day.probability == pytest.approx(listed[day.actual].probability, abs=1e-4)
            near = [item.rank for item in items if abs(item.probability - listed[day.actual].probability) < 1e-5]
            assert min(near) <= day.rank <= max(near)
        elif day.rank is None:
            assert asked.get("exclude_seen")
            assert day.actual in read[: day.read]
        else:
            assert day.rank > len(items) - 1 or day.probability == pytest.approx(items[-1].probability, abs=1e-5)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", ["rhythm-market", "gift-shop", "ml-1m"])
def test_every_day_is_guessed_as_it_is_recommended(name: str, question: str) -> None:
    world = Recommender.from_pretrained(CHECKPOINTS / name)
    dice = np.random.default_rng(3)
    ids = [item.item_id for item in world.items]
    weekly = [ids[2] if at % 7 == 6 else ids[20 + at] for at in range(41)]
    for history in (ids[4:5], weekly, dice.choice(ids[:40], 150).tolist()):
        as_recommended(world, history, QUESTIONS[question])


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_of_the_model_can_be_played(variant: str) -> None:
    world = Recommender(tiny_checkpoint(**VARIANTS[variant]))
    ids = [item.item_id for item in tiny_items()]
    as_recommended(world, np.random.default_rng(1).choice(ids, 30).tolist(), {})


def test_of_a_history_that_is_too_long_the_newest_items_are_played_and_the_older_are_seen() -> None:
    world = Recommender.from_pretrained(CHECKPOINTS / "rhythm-market")
    ids = [item.item_id for item in world.items]
    found = guesses(world, [ids[0], *ids[1 : world.max_history + 1]], exclude_seen=True)
    assert len(found) == world.max_history
    assert all(ids[0] not in [guess.item_id for guess in day.guesses] for day in found)
    last = world.recommend(ids[: world.max_history + 1], k=3, exclude_seen=True, spectrum=False)
    assert [guess.item_id for guess in found[-1].guesses] == [item.item_id for item in last.items]


def test_nothing_cannot_be_played() -> None:
    with pytest.raises(InputError, match="nothing to play"):
        guesses(Recommender(tiny_checkpoint()), [])
