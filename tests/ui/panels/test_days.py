"""Days, guesses and true causes: the view shows those of the model and the market."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2rec.branches import CAUSE_OF
from m2rec.data.market.settings import CAUSES
from m2rec.data.market.shoppers import SHOWN, shipped_shoppers
from m2rec.errors import InputError
from m2rec.ui.panels import days as panel
from m2rec.ui.panels.days import days
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.words import percent
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service

ROOT = Path(__file__).parents[3] / "checkpoints"


@pytest.fixture(scope="module")
def shipped() -> Worlds:
    return Worlds({world.name: world for world in Worlds.find(ROOT)})


def shown(worlds: Worlds, name: str, key: str, newest: int = 0, **changes: object) -> PageContext:
    world = worlds.get(name)
    history = next(one.history for one in world.presets if one.key == key)
    state = opening(world).replace(history=history[-newest:] if newest else history, days=(), **changes)
    return PageContext(worlds, world, Session(state=state), ask(worlds, state))


@pytest.mark.parametrize("key", SHOWN)
def test_the_running_score_is_that_of_the_gate_and_the_oracle_against_the_causes(shipped: Worlds, key: str) -> None:
    context = shown(shipped, "rhythm-market", key)
    shopper = next(one for one in shipped_shoppers() if one.key == key)
    _, series = days(context)
    assert [day["read"] for day in series] == list(range(1, len(shopper.item_ids) + 1))
    recommender = context.world.recommender
    gates = recommender.recommend(shopper.item_ids, k=1, spectrum=False).gate_history
    right = oracle = counted = 0
    for read, day in enumerate(series[:-1], start=1):
        cause = shopper.causes[read]
        if cause in CAUSE_OF.values():
            counted += 1
            right += CAUSE_OF[max(gates[read - 1], key=lambda branch: gates[read - 1][branch])] == cause
            oracle += CAUSES[int(np.argmax(shopper.oracle[read][:3]))] == cause
        told = {score["name"]: score["text"] for score in day["scores"]}  # type: ignore[attr-defined]
        assert told["gate's favourite was the cause"] == f"{right} of {counted}"
        assert told["fair oracle's favourite was"] == f"{oracle} of {counted}"
        look = day["cause"]["look"]  # type: ignore[index]
        assert look == next((branch for branch, name in CAUSE_OF.items() if name == cause), "noise")
    assert right / counted > 0.6
    assert series[-1]["came"] is series[-1]["cause"] is None
    assert series[-1]["scores"] == series[-2]["scores"]


@pytest.mark.parametrize("name", ["rhythm-market", "gift-shop", "ml-1m"])
def test_each_days_guess_is_the_answer_to_the_history_so_far(shipped: Worlds, name: str) -> None:
    context = shown(shipped, name, "two-rhythms")
    history, recommender = context.state.history, context.world.recommender
    html, series = days(context)
    first = ten = 0
    for read, day in enumerate(series[:-1], start=1):
        items = recommender.recommend(history[:read], k=10, spectrum=False).items
        came = history[read]
        first += items[0].item_id == came
        ten += came in [item.item_id for item in items]
        guess = day["guesses"][0]  # type: ignore[index]
        assert (guess["title"], guess["share"]) == (items[0].title, percent(items[0].probability))
        assert day["came"] == context.world.named(came)
        assert [score["text"] for score in day["scores"][:2]] == [f"{first} of {read}", f"{ten} of {read}"]  # type: ignore[index]
        assert day["cause"] is None
    assert ("True causes are not known here" in html) == (name != "rhythm-market")
    assert ("The causes of this history are not known" in html) == (name == "rhythm-market")


def test_a_changed_history_has_no_causes_and_offers_histories_with_causes(shipped: Worlds) -> None:
    html, series = days(shown(shipped, "rhythm-market", "shopper", newest=50))
    assert all(day["cause"] is None for day in series)
    assert len(series[0]["scores"]) == 2  # type: ignore[arg-type]
    assert html.count("data-days-preset=") == len(SHOWN)


def test_muted_bands_and_a_gate_set_by_hand_apply(shipped: Worlds) -> None:
    _, heard = days(shown(shipped, "rhythm-market", "shopper-rhythm"))
    by_hand = {"temporal": 1.0, "frequency": 0.0, "semantic": 0.0}
    html, series = days(shown(shipped, "rhythm-market", "shopper-rhythm", gate_override=by_hand))
    assert "your gate" in html
    assert {day["gate"]["look"] for day in series} == {"temporal"}  # type: ignore[index]
    assert series[-1]["guesses"] != heard[-1]["guesses"]
    _, muted = days(shown(shipped, "rhythm-market", "shopper-rhythm", band_mask=((1.0, 60.0),)))
    assert muted[-1]["scores"] != heard[-1]["scores"]


def test_of_a_long_history_the_newest_days_are_played(shipped: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "MOST_PLAYED", 50)
    context = shown(shipped, "ml-1m", "longest")
    html, series = days(context)
    assert len(context.state.history) > len(series) == 50
    assert series[-1]["read"] == len(context.state.history)
    assert "The newest 50 are played" in html


def test_a_history_too_short_to_play_is_refused_with_a_sentence(shipped: Worlds) -> None:
    context = shown(shipped, "rhythm-market", "weekly", newest=1)
    with pytest.raises(InputError, match="nothing to play yet"):
        days(replace(context))


def test_the_service_gives_the_whole_series_at_once(shipped: Worlds) -> None:
    service = Service(shipped)
    reply = service.ask({"session": service.first("rhythm-market")["session"], "what": "days"})
    assert len(reply["series"]) == 41
    assert "Days, guesses and what came" in reply["html"]
