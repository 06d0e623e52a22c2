"""The page shows the numbers of the answer: for every preset, on every world."""

import re
from html import unescape

import pytest

from m2rec.branches import BRANCHES, EVIDENCE
from m2rec.ui.panels import cards, evidence, history, tables
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.recurrence import recurrences
from m2rec.ui.render.words import percent
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from tests.places import CHECKPOINTS
from tests.ui.fake_recommender import FakeRecommender

SHIPPED = sorted(path.parent.name for path in CHECKPOINTS.glob("*/config.json"))
KEYS = ("weekly", "two-rhythms", "chain", "taste", "noise", "new-item", "longest", "empty")


@pytest.fixture(scope="module")
def every_world() -> Worlds:
    """The shipped worlds and the stand-in."""
    shipped = {world.name: world for world in Worlds.find(CHECKPOINTS)}
    return Worlds(shipped | {"toy-shop": World("toy-shop", FakeRecommender)})


@pytest.fixture(params=[(name, key) for name in (*SHIPPED, "toy-shop") for key in KEYS], ids="-".join)
def shown(request: pytest.FixtureRequest, every_world: Worlds) -> PageContext:
    """One preset of one world, and its answer."""
    name, key = request.param
    world = every_world.get(name)
    chosen = {one.key: one.history for one in world.presets} | {"empty": ()}
    state = opening(world).replace(history=chosen[key], days=())
    return PageContext(every_world, world, Session(state=state), ask(every_world, state))


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def test_the_summary_has_the_answers_numbers(shown: PageContext) -> None:
    text, answer = text_of(history.sentence(shown)), shown.answer
    first = answer.items[0]
    assert first.title in text
    assert percent(first.probability) in text
    if not answer.history:
        assert text.startswith("No history yet")
        return
    lead = max(BRANCHES, key=lambda name: first.contributions[name])
    share = percent(first.contributions[lead] / first.probability)
    assert f"{EVIDENCE[lead].name}: {EVIDENCE[lead].mark}{share} of that comes from" in text
    favourite = max(BRANCHES, key=lambda name: answer.gates[name])
    disagrees = f"The gate trusts {EVIDENCE[favourite].plain} most ("
    for_others = first.contributions[favourite] < answer.gates[favourite] / 2
    assert (disagrees in text) == (favourite != lead and for_others)
    peaks = {round(period) for period in answer.spectrum.significant} if answer.spectrum else set()
    own = {one.period for one in recurrences(answer.history) if one.item_id == first.item_id}
    if claimed := re.search(r"You \w+ it every (\d+)\w\w \w+ and", text):
        assert int(claimed[1]) in peaks & own
    if claimed := re.search(r"came back about every (\d+)\w\w", text):
        assert int(claimed[1]) in own - peaks
    if claimed := re.search(r"It came up (once|twice|before)", text):
        assert not own
        count = answer.history.count(first.item_id)
        assert claimed[1] == {1: "once", 2: "twice"}.get(count, "before")
        assert count > 0


def test_every_card_shows_the_answers_own_numbers(shown: PageContext) -> None:
    html = cards.cards(shown)
    widest = max(item.probability for item in shown.answer.items)
    said = [unescape(label) for label in re.findall(r'aria-label="(\d+: .*?; show details)"', html)]
    bars = [
        [float(width) for width in re.findall(r"width:([\d.]+)%", bar)]
        for bar in re.findall(r'<span class="bar".*?</span>', html, re.S)
    ]
    assert len(said) == len(bars) == len(shown.answer.items)
    for item, label, bar in zip(shown.answer.items, said, bars, strict=True):
        parts = ", ".join(f"{name} {percent(item.contributions[name])}" for name in BRANCHES)
        assert label == f"{item.rank}: {item.title}, {percent(item.probability)}; {parts}; show details"
        assert bar == pytest.approx([100 * item.contributions[name] / widest for name in BRANCHES], abs=1e-3)
        assert sum(item.contributions.values()) == pytest.approx(item.probability, abs=1e-6)


def test_the_gate_and_the_spectrum_are_described_correctly(shown: PageContext) -> None:
    answer = shown.answer
    sliders = re.findall(r'aria-valuetext="([^"]+)"', evidence.gate(shown))
    assert [unescape(value) for value in sliders] == [percent(answer.gates[name]) for name in BRANCHES]
    html = tables.spectrum_table(shown)
    rows = re.findall(r'<tr class="(peak|)"><th scope="row">', html)
    if answer.spectrum is None:
        assert rows == []
        return
    above = [power > level for power, level in zip(answer.spectrum.power, answer.spectrum.threshold, strict=True)]
    assert [row == "peak" for row in rows] == above
    assert ("Nothing stands out" in html) == (not any(above) and bool(above))
