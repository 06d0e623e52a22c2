import pytest

from m2rec.ui.session.link import to_link
from m2rec.ui.session.state import State
from m2rec.ui.web.service import Service


def act(service: Service, view: dict, **action: object) -> dict:
    return service.act({"session": view["session"], "action": action, "before": view["ranking"]})


@pytest.fixture
def first(service: Service) -> dict:
    return service.first()


def history(view: dict) -> list[str]:
    return view["session"]["state"]["history"]


def test_the_page_opens_with_a_history_and_its_answer(first: dict) -> None:
    assert len(history(first)) > 20
    assert len(first["ranking"]) == 10


def test_adding_removing_clearing_undoing(service: Service, first: dict) -> None:
    added = act(service, first, type="add", item_id="i00")
    assert history(added) == [*history(first), "i00"]
    assert history(act(service, added, type="remove", at=0)) == history(added)[1:]
    cleared = act(service, added, type="clear")
    assert history(cleared) == []
    assert history(act(service, cleared, type="undo")) == history(added)


def test_tables_of_the_charts_are_made_only_when_asked_for(service: Service, first: dict) -> None:
    assert not any("<table" in html for html in first["html"].values())
    gate, spectrum = (
        service.ask({"session": first["session"], "what": what})["html"] for what in ("gate_table", "spectrum_table")
    )
    assert gate.count('<th scope="row">') == len(history(first))
    assert spectrum.count('<th scope="row">') == len(first["figures"]["spectrum"]["data"][2]["x"])


def test_the_spectrums_table_is_refused_while_a_lesson_asks_for_the_spectrum(service: Service, first: dict) -> None:
    asked = act(service, first, type="lesson", lesson="period")
    reply = service.ask({"session": asked["session"], "what": "spectrum_table"})
    assert "until you have put the marker" in reply["error"]


@pytest.mark.parametrize(("by_hand", "left"), [(None, None), ("popularity", "popularity")])
def test_a_lessons_comparison_goes_with_it_and_one_chosen_by_hand_stays(
    service: Service, first: dict, by_hand: str | None, left: str | None
) -> None:
    view = act(service, act(service, first, type="lesson", lesson="limits"), type="lesson_do")
    assert view["session"]["state"]["compare"] == "semantic"
    if by_hand:
        view = act(service, view, type="set", compare=by_hand)
    state = act(service, view, type="lesson", lesson=None)["session"]["state"]
    assert (state["lesson"], state["compare"]) == (None, left)


@pytest.mark.parametrize(
    "action",
    [
        {"type": "add", "item_id": "nobody"},
        {"type": "remove", "at": 999},
        {"type": "set", "k": 51},
        {"type": "set", "k": "many"},
        {"type": "override", "branch": "frequency", "weight": float("nan"), "current": {}},
        {"type": "mute", "low": 9, "high": 3},
        {"type": "world", "value": "nowhere"},
        {"type": "world", "value": "broken"},
        {"type": "preset", "value": "nothing"},
        {"type": "launch"},
        {},
    ],
)
def test_a_refusal_is_a_sentence_and_has_no_state(service: Service, first: dict, action: dict) -> None:
    reply = act(service, first, **action)
    assert set(reply) == {"error"}
    assert reply["error"].endswith(".")


@pytest.mark.parametrize("payload", [None, 3, "text", [], {}, {"session": None}])
def test_a_malformed_request_is_refused_with_a_sentence(service: Service, payload: object) -> None:
    for call in (service.act, service.open):
        assert set(call(payload)) == {"error"}


def test_a_link_restores_its_state(service: Service) -> None:
    state = State(world="toy-shop", history=("i00", "i01"), k=5, exclude_seen=True, band_mask=((6, 8),))
    reply = service.open(to_link(state))
    assert State.model_validate(reply["session"]["state"]) == state
    assert reply["link"] == to_link(state)


def test_a_link_with_unknown_items_keeps_the_others_and_says_so(service: Service) -> None:
    reply = service.open(to_link(State(world="toy-shop", history=("i00", "gone", "i01"))))
    assert history(reply) == ["i00", "i01"]
    assert "1 of the link's 3 items" in reply["notice"]


def test_searching_finds_titles_and_lists_at_most_fifty(service: Service) -> None:
    assert [hit["title"] for hit in service.search({"world": "toy-shop", "query": "coffee"})["hits"]] == [
        "Ground coffee"
    ]
    assert len(service.search({"world": "toy-shop", "query": ""})["hits"]) <= 50
    assert "error" in service.search({"world": "toy-shop", "query": "x" * 500})
    assert "error" in service.search({"world": 3, "query": "x"})


def test_an_invented_item_can_be_added(service: Service, first: dict) -> None:
    added = act(service, first, type="add", item_id="~a lamp that hums & <glows>")
    assert history(added)[-1] == "~a lamp that hums & <glows>"
    assert "a lamp that hums &amp; &lt;glows&gt;" in added["html"]["history"]
    assert history(service.open(added["link"])) == history(added)
    assert "error" in act(service, first, type="add", item_id="~ ")


def test_muting_a_band_and_overriding_the_gate_change_the_answer_until_released(service: Service, first: dict) -> None:
    override = act(service, first, type="override", branch="frequency", weight=0.9, current=first["gates"])
    assert override["gates"]["frequency"] == pytest.approx(0.9)
    released = act(service, override, type="release")
    assert released["gates"] == pytest.approx(first["gates"])
