"""The current lesson: situation, question, what to do, and then the live model's answer."""

from m2rec.branches import BRANCHES
from m2rec.ui.lessons import LAST_STEP, Lesson, lesson, lessons
from m2rec.ui.lessons.measures import is_its_own, outcome
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.session.state import State


def current(context: PageContext) -> str:
    """The lesson bar, or an empty string outside a lesson."""
    if context.state.lesson is None:
        return ""
    one = lesson(context.state.lesson)
    all_ids = [other.id for other in lessons()]
    number = all_ids.index(one.id) + 1
    own = is_its_own(one, context)
    shown = outcome(one, context) if own and context.state.lesson_step == LAST_STEP else None
    following = all_ids[number] if number < len(all_ids) else None
    return render(
        "lesson.html.j2",
        lesson=one,
        number=number,
        count=len(all_ids),
        step=context.state.lesson_step,
        own=own,
        chosen=context.state.lesson_choice,
        answered=_has_answered(one, context.state),
        mark=context.state.lesson_mark,
        sketch=context.state.lesson_sketch or dict.fromkeys(BRANCHES, 1 / len(BRANCHES)),
        gates=context.answer.gates,
        outcome=shown,
        following=following,
    )


def _has_answered(one: Lesson, state: State) -> bool:
    """Whether the visitor has answered the lesson's question."""
    if one.mark:
        return state.lesson_mark is not None
    return (state.lesson_sketch if one.sketch else state.lesson_choice) is not None
