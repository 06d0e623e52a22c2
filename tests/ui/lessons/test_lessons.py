from dataclasses import replace
from typing import Any

import pytest

from m2rec.branches import BRANCHES
from m2rec.ui.lessons import Lesson, lesson, lessons
from m2rec.ui.lessons.measures import Outcome, measured, outcome, values
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.dispatch import dispatch, opening
from m2rec.ui.session.requests import AdvanceLesson, ChooseAnswer, MarkPeriod, OpenLesson, SketchGate
from m2rec.ui.session.state import Session
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service
from tests.places import CHECKPOINTS

ANYWHERE = [one.id for one in lessons() if one.world is None]


def act(service: Service, view: dict[str, Any], **action: object) -> dict[str, Any]:
    return service.act({"session": view["session"], "action": action, "before": view["ranking"]})


def test_there_are_six_to_eight_lessons_each_with_its_own_name() -> None:
    assert 6 <= len(lessons()) <= 8
    assert len({one.id for one in lessons()}) == len(lessons())


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_a_lesson_uses_only_existing_measures(one: Lesson, page_context: PageContext) -> None:
    words = values(page_context)
    both = words | {f"{name}_before": text for name, text in words.items()}
    guesses = [guess for guess in (one.mark, one.sketch) if guess]
    for text in (one.answer, one.otherwise, *(text for guess in guesses for text in (guess.right, guess.wrong))):
        assert "{" not in text.format(**both)
    numbers = set(measured(page_context)) | {f"{name}_change" for name in page_context.answer.gates}
    assert {one.check.measure, *(way.check.measure for way in (*(one.choices or ()), *guesses))} <= numbers


def test_lessons_ask_by_choices_by_a_marker_and_by_a_sketch() -> None:
    assert {one.about for one in lessons() if one.mark} == {"spectrum"}
    assert {one.about for one in lessons() if one.sketch} == {"gate"}
    assert any(one.choices for one in lessons())
    with pytest.raises(ValueError, match="one of them only"):
        Lesson.model_validate(lesson("gate").model_dump() | {"mark": lesson("period").mark})


@pytest.fixture(scope="module")
def shipped() -> Worlds:
    """The shipped worlds."""
    return Worlds.find(CHECKPOINTS)


Guess = ChooseAnswer | MarkPeriod | SketchGate


def guesses(one: Lesson, context: PageContext) -> list[Guess]:
    """All possible guesses: every choice, every whole period, or all the weight on each kind of evidence."""
    if one.choices:
        return [ChooseAnswer(type="lesson_choose", choice=number) for number in range(len(one.choices))]
    if one.mark:
        assert context.answer.spectrum is not None
        whole = [int(period) for period in context.answer.spectrum.period if period == int(period)]
        assert len(whole) > 8
        return [MarkPeriod(type="lesson_mark", period=period) for period in whole]
    return [
        SketchGate(type="lesson_sketch", gate={name: float(name == all_to) for name in BRANCHES}) for all_to in BRANCHES
    ]


def played(worlds: Worlds, one: Lesson, guess: Guess | None = None) -> PageContext:
    """The lesson after its action, with its answer shown."""
    world = worlds.get(one.world or "rhythm-market")
    session = dispatch(worlds, Session(state=opening(world)), OpenLesson(type="lesson", lesson=one.id))
    if guess is not None:
        session = dispatch(worlds, session, guess)
    session = dispatch(worlds, session, AdvanceLesson(type="lesson_show"))
    return PageContext(worlds, world, session, ask(worlds, session.state))


@pytest.mark.parametrize("one", lessons(), ids=lambda one: one.id)
def test_on_the_shipped_weights_each_lesson_answers_as_intended_and_one_guess_is_right(
    one: Lesson, shipped: Worlds
) -> None:
    alone = played(shipped, one)
    assert outcome(one, alone).holds
    assert outcome(one, alone).said == ""
    ends = [outcome(one, played(shipped, one, guess)) for guess in guesses(one, alone)]
    assert sum(end.right for end in ends) == 1
    assert len({end.said for end in ends} - {""}) == len(ends)
    assert {end.text for end in ends} == {outcome(one, alone).text}


def test_the_answer_names_the_power_at_the_marker_and_the_error_of_the_sketch(shipped: Worlds) -> None:
    one = lesson("period")
    shown = played(shipped, one, MarkPeriod(type="lesson_mark", period=5))
    spectrum = shown.answer.spectrum
    assert spectrum is not None
    assert f"stands at 5: the power there is {spectrum.power[spectrum.period.index(5)]:.1f}" in outcome(one, shown).said
    one = lesson("gate")
    even = dict.fromkeys(BRANCHES, 1 / 3)
    shown = played(shipped, one, SketchGate(type="lesson_sketch", gate=even))
    off = sum(abs(even[name] - shown.answer.gates[name]) for name in BRANCHES) / 2
    assert f"your sketch is {100 * off:.0f} points off" in outcome(one, shown).said


def test_the_spectrum_is_hidden_until_the_lesson_shows_it(service: Service) -> None:
    asked = act(service, service.first(), type="lesson", lesson="period")
    low, high = asked["asked"]
    assert 2 <= low < 7 < high
    assert [sorted(trace) for trace in asked["figures"]["spectrum"]["data"]] == [
        ["hoverinfo", "line", "mode", "type", "x", "y"]
    ]
    assert "7" not in " ".join(asked["html"][name] for name in ("reading", "spectrum", "spectrum_below"))
    marked = act(service, asked, type="lesson_mark", period=6)
    assert marked["asked"] == asked["asked"]
    shown = act(service, marked, type="lesson_do")
    assert shown["asked"] is None
    assert shown["figures"]["spectrum"]["data"][-1]["name"] == "peaks"
    answered = act(service, shown, type="lesson_show")
    assert "Your marker stands at 6" in answered["html"]["lesson"]
    left = act(service, answered, type="lesson", lesson=None)
    assert left["session"]["state"]["lesson_mark"] is None


def test_real_life_says_what_the_command_on_rhythms_found_over_all_customers() -> None:
    told = lesson("real-life").answer
    readme = (CHECKPOINTS.parent / "README.md").read_text(encoding="utf-8")
    told_there = readme[readme.index("asks whether there are rhythms at all") :][:800]
    for figure in ("329 customers with ten or more", "8.5 %", "5 %", "most often a week"):
        assert figure in " ".join(told.split())
        assert figure in " ".join(told_there.split())


@pytest.mark.parametrize("lesson_id", ANYWHERE)
def test_the_answer_is_about_the_lessons_action_even_if_its_button_was_not_pressed(
    service: Service, lesson_id: str
) -> None:
    asked = act(service, service.first(), type="lesson", lesson=lesson_id)
    at_once = act(service, asked, type="lesson_show")
    by_hand = act(service, act(service, asked, type="lesson_do"), type="lesson_show")
    assert at_once["html"]["lesson"] == by_hand["html"]["lesson"]
    assert "0 of 0" not in at_once["html"]["lesson"]


def test_a_visitors_own_attempt_is_not_overwritten(service: Service) -> None:
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


def test_a_right_and_a_wrong_choice_are_distinguished(service: Service) -> None:
    asked = act(service, service.first(), type="lesson", lesson="noise")
    said = []
    for choice in range(3):
        chosen = act(service, asked, type="lesson_choose", choice=choice)
        assert 'aria-pressed="true"' in chosen["html"]["lesson"]
        said.append(act(service, chosen, type="lesson_show")["html"]["lesson"])
    assert sum("and so it is" in one for one in said) == 1
    assert sum("it is otherwise here" in one for one in said) == 2


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
def test_the_answer_follows_the_model_and_not_the_expectation_of_the_lesson(
    page_context: PageContext, newest: int, holds: bool
) -> None:
    state = page_context.state.replace(history=page_context.world.preset("weekly").history[-newest:])
    now = replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))
    one = lesson("two-cycles").model_copy(update={"answer": "as expected: {length}", "otherwise": "not so: {length}"})
    assert outcome(one, now) == Outcome(holds, f"{'as expected' if holds else 'not so'}: {newest}")


def test_an_unknown_lesson_and_one_without_its_world_are_refused_with_a_sentence(service: Service) -> None:
    first = service.first()
    assert "gift-shop" in act(service, first, type="lesson", lesson="real-life")["error"]
    assert "there are period" in act(service, first, type="lesson", lesson="cooking")["error"]
    assert "No lesson is open" in act(service, first, type="lesson_do")["error"]


def test_a_lesson_without_a_world_of_its_own_is_given_where_the_teachers_sheet_was_computed(shipped: Worlds) -> None:
    session = Session(state=opening(shipped.get("gift-shop")))
    begun = dispatch(shipped, session, OpenLesson(type="lesson", lesson="limits"))
    assert begun.state.world == shipped.default.name
    in_the_shop = dispatch(shipped, begun, OpenLesson(type="lesson", lesson="real-life"))
    assert in_the_shop.state.world == "gift-shop"
    back = dispatch(shipped, in_the_shop, OpenLesson(type="lesson", lesson="limits"))
    assert back.state.world == shipped.default.name
