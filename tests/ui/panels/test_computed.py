"""How it was computed: every number of the dialog is the answer's, down to the last line."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from m2rec.branches import BRANCHES
from m2rec.errors import InputError
from m2rec.inference.terms.scores import ScoreTerms
from m2rec.recommend.recommender import Recommender
from m2rec.ui.panels.computed.calculation import of_score
from m2rec.ui.panels.computed.columns import MOST_COLUMNS
from m2rec.ui.panels.computed.dialog import computed
from m2rec.ui.panels.days import days
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.words import percent
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service
from tests.inference.test_engine import VARIANTS
from tests.tiny_world import tiny_checkpoint, tiny_items

ROOT = Path(__file__).parents[3] / "checkpoints"
SHIPPED = sorted(path.parent.name for path in ROOT.glob("*/config.json"))
KEYS = ("weekly", "two-rhythms", "chain", "taste", "noise")
CHANGES: dict[str, dict[str, object]] = {
    "as it is": {},
    "muted": {"band_mask": ((6.0, 8.0),)},
    "by hand": {"gate_override": {"temporal": 0.3, "frequency": 0.6, "semantic": 0.1}},
    "hidden": {"exclude_seen": True},
}


@pytest.fixture(scope="module")
def shipped() -> Worlds:
    return Worlds({world.name: world for world in Worlds.find(ROOT)})


def shown(worlds: Worlds, name: str, key: str, **changes: object) -> PageContext:
    world = worlds.get(name)
    history = next(one.history for one in world.presets if one.key == key)
    state = opening(world).replace(history=history, days=(), **changes)
    return PageContext(worlds, world, Session(state=state), ask(worlds, state))


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def last_line(html: str) -> str:
    return unescape(re.findall(r"<b data-computed-last>(.*?)</b>", html)[0])


def number(text: str) -> float:
    return 0.0 if text.startswith("<") else float(text)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("change", CHANGES)
def test_the_last_line_is_the_cards_percentage_and_the_lines_above_add_up_to_it(
    shipped: Worlds, name: str, change: str
) -> None:
    for key in KEYS:
        context = shown(shipped, name, key, **CHANGES[change])
        for card in context.answer.items[:4]:
            html = computed(context, card.item_id, None)
            assert last_line(html) == percent(card.probability)
            assert unescape(re.findall(r"data-computed-total>(.*?)</b>", html)[0]) == percent(card.probability)
            rows = re.findall(r"</span> ([^<]+)</th><td>× ([^<]+)</td><td>= ([^<]+)</td>", html)
            assert len(rows) == len(BRANCHES)
            shares = []
            for branch, (weight, probability, share) in zip(BRANCHES, rows, strict=True):
                shares.append(number(unescape(share)))
                assert shares[-1] == pytest.approx(card.contributions[branch], abs=6e-5)
                product = number(unescape(weight)) * number(unescape(probability))
                assert product == pytest.approx(card.contributions[branch], abs=2e-4)
            assert sum(shares) == pytest.approx(card.probability, abs=2e-4)
            assert ("hidden from the list" in html) == (change == "hidden" and card.item_id in context.state.history)
            assert ("You set the weights by hand" in html) == (change == "by hand")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_step_is_the_answer_to_the_history_so_far(shipped: Worlds, name: str) -> None:
    context = shown(shipped, name, "two-rhythms")
    history, recommender = context.state.history, context.world.recommender
    for day in (1, 2, 20, len(history) - 1, len(history)):
        card = recommender.recommend(history[:day], k=1, spectrum=False).items[0]
        html = computed(context, card.item_id, day)
        assert last_line(html) == percent(card.probability)
        assert f"after {day} of {len(history)}" in html
        assert html.count('<i class="own" title=') == history[:day].count(card.item_id)
        came = f"Then came {context.world.named(history[day])}" if day < len(history) else "no day after it"
        assert (came in text_of(html)) == (day < len(history))


def test_the_parts_of_the_market_are_described_for_a_weekly_item(shipped: Worlds) -> None:
    context = shown(shipped, "rhythm-market", "weekly")
    html = computed(context, context.answer.items[0].item_id, None)
    text = text_of(html)
    assert "The band of period 7 is open" in text
    assert "filter of period 7" in text
    assert html.count('<i class="kept"') == 5
    assert "another rhythm explains it" in text
    assert "calls for" in text
    assert "what everybody buys" in text
    spans = [int(span) for span in re.findall(r"memory of about (\d+) without it", text)]
    assert len(spans) >= 3
    assert spans == sorted(spans)
    assert spans[0] <= 3  # they start at 2, 16 and 128, and learning leaves them far apart
    assert spans[-1] >= 50
    assert "If nothing were due, it would give" in text
    assert "These are the memories of the last of" not in text  # there is one layer only


def test_a_muted_band_is_marked_and_an_item_never_chosen_has_no_rhythm(shipped: Worlds) -> None:
    context = shown(shipped, "rhythm-market", "weekly", band_mask=((6.5, 7.5),))
    coffee = next(item for item in set(context.state.history) if context.state.history.count(item) > 3)
    assert "7: muted by you" in text_of(computed(context, coffee, None))
    never = next(one for one in context.world.items if one not in context.state.history)
    assert "It was not chosen before" in text_of(computed(context, never, None))
    assert "never predicts the same item twice" in text_of(computed(context, context.state.history[-1], None))


def test_a_world_that_reads_vectors_shows_bands_trends_and_their_gains(shipped: Worlds) -> None:
    context = shown(shipped, "ml-1m", "noise")
    text = text_of(computed(context, context.answer.items[0].item_id, None))
    assert "These are the memories of the last of 2 layers" in text
    for said in ("through the trend", "through bands with a period", "large gain", "gain below half", "trend over 16"):
        assert said in text
    assert "Most alike in meaning" in text


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_of_the_model_has_a_computation_and_days(variant: str) -> None:
    worlds = Worlds({"tiny-shop": World("tiny-shop", lambda: Recommender(tiny_checkpoint(**VARIANTS[variant])))})
    world = worlds.get("tiny-shop")
    ids = [item.item_id for item in tiny_items()]
    state = State(world="tiny-shop", history=tuple(ids[at * at % 7] for at in range(20)))
    context = PageContext(worlds, world, Session(state=state), ask(worlds, state))
    for card in context.answer.items[:3]:
        html = computed(context, card.item_id, None)
        assert last_line(html) == percent(card.probability)
        assert ("Temporal <b>" in html) == (VARIANTS[variant].get("gate") != "features")
    assert len(days(context)[1]) == 20


def test_of_a_long_history_the_newest_days_are_shown(shipped: Worlds) -> None:
    context = shown(shipped, "rhythm-market", "longest")
    html = computed(context, context.answer.items[0].item_id, None)
    assert f"(newest {MOST_COLUMNS})" in html
    assert html.count('"grid-column:') > 0
    assert f'title="{len(context.state.history)}: ' in html


def test_titles_are_escaped(shipped: Worlds) -> None:
    context = shown(shipped, "rhythm-market", "weekly")
    first = context.answer.items[0].item_id
    evil = {**context.world.items, first: replace(context.world.items[first], title="<img src=x>")}
    world = replace(context.world)
    world.__dict__["items"] = evil
    world._loaded = context.world.recommender
    html = computed(replace(context, world=world), first, len(context.state.history) - 7)
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_an_impossible_computation_is_refused_with_a_sentence(shipped: Worlds) -> None:
    context = shown(shipped, "rhythm-market", "weekly")
    with pytest.raises(InputError, match="is not an item of Rhythm Market"):
        computed(context, "gone", None)
    state = context.state.replace(history=())
    empty = replace(context, session=Session(state=state), answer=ask(shipped, state))
    with pytest.raises(InputError, match="Nothing has been chosen yet"):
        computed(empty, context.answer.items[0].item_id, None)


def test_the_service_gives_the_view_of_a_day(shipped: Worlds) -> None:
    service = Service(shipped)
    first = service.first("rhythm-market")
    asked = {"session": first["session"], "what": "computed", "text": first["ranking"][0]}
    assert "after 41 of 41" in service.ask(asked)["html"]
    assert "after 12 of 41" in service.ask({**asked, "day": 12})["html"]
    assert "after 41 of 41" in service.ask({**asked, "day": 999})["html"]
    assert "error" in service.ask({**asked, "day": -1})


def test_a_score_names_the_repeat_biases_that_the_item_has() -> None:
    terms = ScoreTerms(match=4.0, popularity=-0.5, seen=1.25, newest=-3.0, log_total=6.0)
    numbers = {line.what: line.number for line in of_score(terms)}
    assert numbers["it was chosen before"] == "+1.25"
    assert numbers["it was chosen last"] == "−3.00"
    assert numbers["its score"] == "+1.75"
    elsewhere = [line.what for line in of_score(replace(terms, seen=0.0, newest=0.0))]
    assert not {"it was chosen before", "it was chosen last"} & set(elsewhere)
