import json
import re
from dataclasses import replace
from html import unescape

import pytest

from m2rec.branches import BRANCHES, BranchName
from m2rec.recommend.answer import PerBranch
from m2rec.ui.panels import history
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.what_if import what_if
from m2rec.ui.render.words import percent
from m2rec.ui.session.state import Session
from m2rec.ui.web.service import Service


def with_state(page_context: PageContext, **changes: object) -> PageContext:
    state = page_context.state.replace(**changes)
    return replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))


def test_what_it_promises_is_what_the_click_brings(service: Service) -> None:
    shown = service.first()
    html = shown["html"]["reading"]
    action = json.loads(unescape(re.findall(r"data-act='([^']+)'", html)[0]))
    before, after = re.findall(r"</button> and (.+?) becomes <b>(.+?)</b>", html)[0]
    item = shown["ranking"][0]
    then = service.act({"session": shown["session"], "action": action})
    found = service.worlds.answer("toy-shop", tuple(then["session"]["state"]["history"]), 40)
    chances = {one.item_id: percent(one.probability) for one in found.items}
    assert unescape(after) == chances[item] != unescape(before)


@pytest.mark.parametrize(
    ("branch", "label"),
    [("frequency", "Remove the last, "), ("temporal", "Swap the last two"), ("semantic", "Remove the last, ")],
)
def test_what_is_tried_first_concerns_the_evidence_that_the_first_card_has_most_of(
    page_context: PageContext, branch: BranchName, label: str
) -> None:
    shares: PerBranch = {name: 0.9 if name == branch else 0.05 for name in BRANCHES}
    changes = {"item_id": page_context.state.history[6], "contributions": shares, "probability": 0.987}
    led = page_context.answer.items[0].model_copy(update=changes)
    tried = what_if(replace(page_context, answer=page_context.answer.model_copy(update={"items": [led]})))
    assert tried is not None
    assert tried.label.startswith(label)
    assert tried.before == percent(0.987)


@pytest.mark.parametrize(("factor", "shown"), [(0.975, False), (1.02, False), (0.9, True), (1.1, True)])
def test_a_change_that_hardly_moves_the_first_card_is_left_out(
    page_context: PageContext, monkeypatch: pytest.MonkeyPatch, factor: float, shown: bool
) -> None:
    first = page_context.answer.items[0].model_copy(update={"probability": 0.042})  # 4.2 % becomes 4.1 %
    monkeypatch.setattr(page_context.worlds, "probability", lambda *asked: 0.042 * factor)
    tried = what_if(replace(page_context, answer=page_context.answer.model_copy(update={"items": [first]})))
    assert (tried is not None) == shown


def test_nothing_is_tried_where_there_is_nothing_to_change(page_context: PageContext) -> None:
    assert what_if(with_state(page_context, history=())) is None
    assert "what-if" not in history.sentence(with_state(page_context, history=()))
