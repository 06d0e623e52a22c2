from dataclasses import replace
from typing import Any

import pytest

from m2rec.data.sources.person import Person
from m2rec.ui.lessons import Lesson, lesson, lessons
from m2rec.ui.lessons.measures import Outcome, measured, outcome, starting_history, values
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.dispatch import dispatch, opening
from m2rec.ui.session.requests import AdvanceLesson, ChooseAnswer, OpenLesson
from m2rec.ui.session.state import Session
from m2rec.ui.session.worlds import World, Worlds
from m2rec.ui.web.service import Service
from tests.places import CHECKPOINTS
from tests.ui.fake_recommender import FakeRecommender

ANYWHERE = [one.id for one in lessons() if one.world is None]


def act(service: Service, view: dict[str, Any], **action: object) -> dict[str, Any]:
    return service.act({"session": view["session"], "action": action, "before": view["ranking"]})


def test_there_are_six_to_eight_lessons_each_with_its_own_name() -> None:
    assert 6 <= len(lessons()) <= 8
    assert len({one.id for one in lessons()}) == len(lessons())


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_a_lesson_names_only_what_is_measured(one: Lesson, page_context: PageContext) -> None:
    words = values(page_context)
    both = words | {f"{name}_before": text for name, text in words.items()}
    for text in (one.answer, one.otherwise):
        assert "{" not in text.format(**both)
    numbers = set(measured(page_context)) | {f"{name}_change" for name in page_context.answer.gates}
    assert {one.check.measure, *(choice.check.measure for choice in one.choices)} <= numbers


@pytest.fixture(scope="module")
def shipped() -> Worlds:
    """The worlds of the repository."""
    return Worlds.find(CHECKPOINTS)


def played(worlds: Worlds, one: Lesson, choice: int | None = None) -> PageContext:
    """The lesson after its button was pressed and its answer asked for."""
    world = worlds.get(one.world or "rhythm-market")
    session = dispatch(worlds, Session(state=opening(world)), OpenLesson(type="lesson", lesson=one.id))
    if choice is not None:
        session = dispatch(worlds, session, ChooseAnswer(type="lesson_choose", choice=choice))
    session = dispatch(worlds, session, AdvanceLesson(type="lesson_show"))
    return PageContext(worlds, world, session, ask(worlds, session.state))


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_on_the_shipped_weights_each_lesson_answers_as_intended_and_one_choice_is_right(
    one: Lesson, shipped: Worlds
) -> None:
    assert outcome(one, played(shipped, one)).holds
    ends = [outcome(one, played(shipped, one, number)) for number in range(len(one.choices))]
    assert sum(end.right for end in ends) == 1
    assert [end.chosen for end in ends] == [choice.text for choice in one.choices]


@pytest.mark.parametrize("lesson_id", ANYWHERE)
def test_the_answer_is_told_of_what_the_lesson_did_even_if_nobody_pressed_its_button(
    service: Service, lesson_id: str
) -> None:
    asked = act(service, service.first(), type="lesson", lesson=lesson_id)
    at_once = act(service, asked, type="lesson_show")
    by_hand = act(service, act(service, asked, type="lesson_do"), type="lesson_show")
    assert at_once["html"]["lesson"] == by_hand["html"]["lesson"]
    assert "0 of 0" not in at_once["html"]["lesson"]


def test_what_a_visitor_tried_in_their_own_way_is_not_done_over(service: Service) -> None:
    asked = act(service, service.first(), type="lesson", lesson="two-cycles")
    tried = act(service, asked, type="keep", newest=20)
    told_of = act(service, tried, type="lesson_show")
    assert len(told_of["session"]["state"]["history"]) == 20
    assert "With 20 left" in told_of["html"]["lesson"]


def test_a_lesson_whose_history_was_replaced_says_so_and_offers_to_set_it_up(service: Service) -> None:
    asked = act(service, service.first(), type="lesson", lesson="gate")
    replaced = act(service, asked, type="replace", item_ids=["i31"] * 12)
    for step in ("lesson_show", "lesson_do"):
        html = act(service, replaced, type=step)["html"]["lesson"]
        assert "not this lesson" in html
        assert "Set it up" in html
        assert lesson("gate").question not in html


def test_a_right_and_a_wrong_choice_are_told_apart(service: Service) -> None:
    asked = act(service, service.first(), type="lesson", lesson="noise")
    said = []
    for choice in range(3):
        chosen = act(service, asked, type="lesson_choose", choice=choice)
        assert 'aria-pressed="true"' in chosen["html"]["lesson"]
        said.append(act(service, chosen, type="lesson_show")["html"]["lesson"])
    assert sum("and so it is" in one for one in said) == 1
    assert sum("this model does otherwise" in one for one in said) == 2


@pytest.mark.parametrize("lesson_id", ANYWHERE)
def test_a_lesson_asks_then_acts_then_answers_from_the_live_model(service: Service, lesson_id: str) -> None:
    asked = act(service, service.first(), type="lesson", lesson=lesson_id)
    assert lesson(lesson_id).question in asked["html"]["lesson"].replace("&#39;", "'")
    done = act(service, asked, type="lesson_do")
    assert done["session"]["state"]["lesson_step"] == 1
    shown = act(service, done, type="lesson_show")
    assert 'class="outcome"' in shown["html"]["lesson"]
    left = act(service, shown, type="lesson", lesson=None)
    assert left["html"]["lesson"] == ""


@pytest.mark.parametrize(("newest", "holds"), [(41, False), (2, True)])
def test_the_answer_follows_what_the_model_does_and_not_what_the_lesson_hopes(
    page_context: PageContext, newest: int, holds: bool
) -> None:
    state = page_context.state.replace(history=page_context.world.preset("weekly").history[-newest:])
    now = replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))
    one = lesson("two-cycles").model_copy(update={"answer": "as expected: {length}", "otherwise": "not so: {length}"})
    assert outcome(one, now) == Outcome(holds, f"{'as expected' if holds else 'not so'}: {newest}")


def test_a_lesson_that_needs_another_world_or_does_not_exist_is_refused_in_words(service: Service) -> None:
    first = service.first()
    assert "ml-1m" in act(service, first, type="lesson", lesson="real-life")["error"]
    assert "there are period" in act(service, first, type="lesson", lesson="cooking")["error"]
    assert "No lesson is open" in act(service, first, type="lesson_do")["error"]


def test_a_lesson_about_a_real_person_has_a_stand_in_where_nobody_is_there(page_context: PageContext) -> None:
    somebody = World("toy-shop", FakeRecommender, people=lambda world: (Person(("i00", "i01"), (3, 9)),))
    assert starting_history(lesson("real-life"), somebody).key == "person"
    assert starting_history(lesson("real-life"), page_context.world).key == "noise"
    assert lesson("real-life").stand_in_situation
