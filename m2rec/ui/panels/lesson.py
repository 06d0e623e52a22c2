"""The lesson under way: its situation, its question, what to do, and then what the live model answers."""

from m2rec.ui.lessons import LAST_STEP, lesson, lessons
from m2rec.ui.lessons.measures import is_its_own, outcome, starting_history
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render


def current(context: PageContext) -> str:
    """The lesson bar, or nothing outside a lesson."""
    if context.state.lesson is None:
        return ""
    one = lesson(context.state.lesson)
    all_ids = [other.id for other in lessons()]
    number = all_ids.index(one.id) + 1
    own = is_its_own(one, context)
    shown = outcome(one, context) if own and context.state.lesson_step == LAST_STEP else None
    following = all_ids[number] if number < len(all_ids) else None
    stands_in = starting_history(one, context.world).key != one.preset
    return render(
        "lesson.html.j2",
        lesson=one,
        setting=one.stand_in_situation if stands_in else one.situation,
        number=number,
        count=len(all_ids),
        step=context.state.lesson_step,
        own=own,
        chosen=context.state.lesson_choice,
        outcome=shown,
        following=following,
    )
