import re
from dataclasses import replace

import pytest

from m2rec.data.tables.pasted import Entry
from m2rec.errors import InputError
from m2rec.ui.panels import dialogs
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.paste import match
from m2rec.ui.session.state import Session
from m2rec.ui.web.service import Service
from tests.ui.fake_recommender import ITEMS, FakeRecommender


def test_details_show_gate_times_belief_and_their_sum(page_context: PageContext) -> None:
    item = page_context.answer.items[0]
    html = dialogs.details(page_context, item.item_id)
    shares = [float(share) for share in re.findall(r"<td>([\d.]+) %</td></tr>", html)]
    assert sum(shares[:3]) == pytest.approx(shares[3], abs=1)
    assert item.title in html


def test_details_list_the_most_influential_history_items_first(page_context: PageContext) -> None:
    html = dialogs.details(page_context, page_context.answer.items[0].item_id)
    widths = [float(width) for width in re.findall(r'class="meter[^"]*" style="width:([\d.]+)%', html)]
    assert widths[0] == 100
    assert widths == sorted(widths, reverse=True)


def test_details_link_to_the_computation_unless_the_history_is_empty(page_context: PageContext) -> None:
    first = page_context.answer.items[0].item_id
    assert f'data-dialog-open="computed" data-item-id="{first}"' in dialogs.details(page_context, first)
    state = page_context.state.replace(history=())
    empty = replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))
    assert "computed" not in dialogs.details(empty, empty.answer.items[0].item_id)


def test_details_of_an_item_not_recommended_are_refused(page_context: PageContext) -> None:
    with pytest.raises(InputError, match="not among"):
        dialogs.details(page_context, "gone")


def test_details_count_positions_from_the_start_of_a_history_too_long_to_be_read_whole(
    page_context: PageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeRecommender, "influence", lambda *asked: [0.0] * 199 + [1.0])
    state = page_context.state.replace(history=("i00",) * 60 + ("i01",) * 199 + ("i02",))
    long = replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))
    html = dialogs.details(long, long.answer.items[0].item_id)
    assert re.findall(r'class="n">(\d+)</span> <bdi>([\w ]+)<', html) == [("260", "Green tea")]


def test_every_line_of_a_pasted_list_is_shown_and_unmatched_ones_offer_a_choice() -> None:
    html = dialogs.matches(match([Entry("Oat milk"), Entry("<i>carpet</i>")], ITEMS))
    assert "1 of 2 found, 1 not" in html
    assert "&lt;i&gt;carpet&lt;/i&gt;" in html
    assert html.count("data-match ") == 2


def test_the_service_gives_dialogs_and_files_and_refuses_others(service: Service) -> None:
    session = service.first()["session"]
    for what, text in [("repeat", ""), ("paste", ""), ("match", "Oat milk")]:
        assert "html" in service.ask({"session": session, "what": what, "text": text})
    assert service.ask({"session": session, "what": "csv"})["file"]["name"] == "m2rec-toy-shop.csv"
    assert "error" in service.ask({"session": session, "what": "secrets"})


def test_a_list_too_long_to_be_read_is_refused_in_words_of_its_own(service: Service) -> None:
    session = service.first()["session"]
    reply = service.ask({"session": session, "what": "match", "text": "Oat milk\n" * 300_000})
    assert reply == {"error": "The list is longer than 2,000,000 characters: split it, or keep the newest part."}
