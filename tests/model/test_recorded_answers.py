"""The shipped worlds answer as they did before the names of settings and the contract of a branch were redrawn."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from m2rec.recommend.recommender import Recommender

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
RECORDED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("recorded_answers.json").read_text("utf-8"))
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@cache
def loaded(world: str) -> Recommender:
    return Recommender.from_pretrained(CHECKPOINTS / world)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda row: f"{row['world']}, {row['case']}")
def test_answers_are_the_recorded_ones(recorded: dict[str, Any]) -> None:
    answer = loaded(recorded["world"]).recommend(recorded["history"], k=50, **recorded["options"])
    near_ties_aside(answer.items, recorded)
    for kind, values in recorded["contributions"].items():
        by_item = dict(zip(recorded["items"], values, strict=True))
        for item in answer.items:
            if item.item_id in by_item:
                np.testing.assert_allclose(item.contributions[kind], by_item[item.item_id], **CLOSE)
    for kind, value in recorded["gates"].items():
        np.testing.assert_allclose(answer.gates[kind], value, **CLOSE)
    for kind, values in recorded["gate_history"].items():
        np.testing.assert_allclose([gates[kind] for gates in answer.gate_history], values, **CLOSE)
    assert (answer.spectrum is None) == (recorded["spectrum"] is None)
    if answer.spectrum:
        for name, values in recorded["spectrum"].items():
            np.testing.assert_allclose(getattr(answer.spectrum, name), values, rtol=1e-4, atol=1e-5, err_msg=name)


def near_ties_aside(items: list[Any], recorded: dict[str, Any]) -> None:
    """The same items with the same probabilities; only equals may have changed places."""
    probability = [item.probability for item in items]
    np.testing.assert_allclose(probability, recorded["probability"], **CLOSE)
    before = dict(zip(recorded["items"], recorded["probability"], strict=True))
    last = recorded["probability"][-1]
    for item in items:
        np.testing.assert_allclose(item.probability, before.get(item.item_id, last), **CLOSE)
