from dataclasses import replace
from typing import Any

import pytest

from m2rec.data.person import Person
from m2rec.ui.lessons import Lesson, lesson, lessons
from m2rec.ui.lessons.measures import measured, outcome, starting_history, told
from m2rec.ui.render.context import Scene, ask
from m2rec.ui.session.presets import preset
from m2rec.ui.session.state import Session
from m2rec.ui.session.worlds import World
from m2rec.ui.web.service import Service
from tests.ui.fake_recommender import FakeRecommender

ANYWHERE = [one.id for one in lessons() if one.world is None]


def act(service: Service, view: dict[str, Any], **action: object) -> dict[str, Any]:
    return service.act({"session": view["session"], "action": action, "before": view["ranking"]})


def test_there_are_six_to_eight_lessons_each_with_its_own_name() -> None:
    assert 6 <= len(lessons()) <= 8
    assert len({one.id for one in lessons()}) == len(lessons())


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_a_lesson_names_only_what_is_measured(one: Lesson, scene: Scene) -> None:
    words = told(scene)
    both = words | {f"{name}_before": text for name, text in words.items()}
    for text in (one.answer, one.otherwise):
        assert "{" not in text.format(**both)
    numbers = measured(scene)
    assert one.check.measure in set(numbers) | {f"{name}_change" for name in scene.answer.gates}


@pytest.mark.parametrize("lesson_id", ANYWHERE)
def test_a_lesson_asks_then_acts_then_answers_from_the_live_model(service: Service, lesson_id: str) -> None:
    asked = act(service, service.first(), type="lesson", lesson=lesson_id)
    assert lesson(lesson_id).question in asked["html"]["lesson"].replace("&#39;", "'")
    done = act(service, asked, type="lesson_do")
    assert done["session"]["state"]["lesson_step"] == 1
    shown = act(service, done, type="lesson_show")
    assert 'class="told"' in shown["html"]["lesson"]
    left = act(service, shown, type="lesson", lesson=None)
    assert left["html"]["lesson"] == ""


@pytest.mark.parametrize(("newest", "holds"), [(27, False), (2, True)])
def test_the_answer_follows_what_the_model_does_and_not_what_the_lesson_hopes(
    scene: Scene, newest: int, holds: bool
) -> None:
    state = scene.state.but(history=preset(scene.world, "weekly").history[-newest:])
    now = replace(scene, session=Session(state=state), answer=ask(scene.worlds, state))
    one = lesson("two-cycles").model_copy(update={"answer": "as expected: {length}", "otherwise": "not so: {length}"})
    assert outcome(one, now) == (holds, f"{'as expected' if holds else 'not so'}: {newest}")


def test_a_lesson_that_needs_another_world_or_does_not_exist_is_refused_in_words(service: Service) -> None:
    first = service.first()
    assert "ml-1m" in act(service, first, type="lesson", lesson="real-life")["error"]
    assert "there are period" in act(service, first, type="lesson", lesson="cooking")["error"]
    assert "No lesson is open" in act(service, first, type="lesson_do")["error"]


def test_a_lesson_about_a_real_person_has_a_stand_in_where_nobody_is_there(scene: Scene) -> None:
    somebody = World("toy-shop", FakeRecommender, people=lambda world: (Person(("i00", "i01"), (3, 9)),))
    assert starting_history(lesson("real-life"), somebody).key == "person"
    assert starting_history(lesson("real-life"), scene.world).key == "noise"
    assert lesson("real-life").stand_in_scene
