"""How an item was computed, against the answer that it explains: the same numbers, to the last digit."""

import numpy as np
import pytest

from m2rec.errors import InputError
from m2rec.recommend.explain.computation import computation
from m2rec.recommend.recommender import Recommender
from tests.inference.test_engine import CHECKPOINTS

WORLDS = ("rhythm-market", "gift-shop", "ml-1m")
QUESTIONS: dict[str, dict[str, object]] = {
    "as it is": {},
    "muted bands": {"band_mask": [(6.0, 8.0), (13.0, 15.0)]},
    "a gate of one's own": {"gate_override": {"temporal": 0.2, "frequency": 0.5, "semantic": 0.3}},
    "without rhythm, muted": {
        "gate_override": {"temporal": 1, "frequency": 0, "semantic": 2},
        "band_mask": [(2.0, 9.0)],
    },
    "seen items hidden": {"exclude_seen": True},
}


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> Recommender:
    return Recommender.from_pretrained(CHECKPOINTS / request.param)


def histories(world: Recommender) -> list[list[str]]:
    dice = np.random.default_rng(7)
    ids = [item.item_id for item in world.items]
    weekly = [ids[2] if at % 7 == 6 else ids[20 + at] for at in range(41)]
    few = dice.choice(ids[:30], 90).tolist()
    longer_than_read = dice.choice(ids, world.max_history + 20).tolist()
    return [ids[5:6], weekly, few, longer_than_read]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_card_is_computed_as_it_is_shown(world: Recommender, question: str) -> None:
    asked = QUESTIONS[question]
    for history in histories(world):
        answer = world.recommend(history, k=6, spectrum=False, **asked)  # type: ignore[arg-type]
        rest = {name: value for name, value in asked.items() if name != "exclude_seen"}
        for card in answer.items:
            found = computation(world, history, card.item_id, **rest)  # type: ignore[arg-type]
            assert found.probability == card.probability
            assert found.contributions == card.contributions
            assert found.gate == pytest.approx(answer.gates, abs=1e-6)
            assert found.history == answer.history
            assert found.seen == (card.item_id in history)
            for branch, share in found.contributions.items():
                assert share == pytest.approx(found.gate[branch] * found.branches[branch], rel=1e-5)


def test_the_models_own_gate_is_known_where_another_is_in_force(world: Recommender) -> None:
    history = histories(world)[1]
    own = world.recommend(history, k=1, spectrum=False).gates
    found = computation(world, history, history[0], gate_override={"temporal": 1})
    assert found.gate == {"temporal": 1, "frequency": 0, "semantic": 0}
    assert found.model_gate == own


def test_what_the_newest_item_calls_for_is_the_branchs_answer_to_it_alone(world: Recommender) -> None:
    history = histories(world)[1]
    found = computation(world, history, history[0])
    alone = world.recommend(history[-1:], k=3, spectrum=False, gate_override={"temporal": 1})
    assert [item.item_id for item, _ in found.called] == [item.item_id for item in alone.items]
    assert [share for _, share in found.called] == pytest.approx([item.probability for item in alone.items], rel=1e-4)


def test_an_empty_history_and_an_unknown_item_are_refused(world: Recommender) -> None:
    with pytest.raises(InputError, match="Nothing has been chosen yet"):
        computation(world, [], world.items[0].item_id)
    with pytest.raises(InputError, match="is not in this world"):
        computation(world, [world.items[0].item_id], "no such thing")
