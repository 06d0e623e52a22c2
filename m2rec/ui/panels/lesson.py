"""The lesson under way: its scene, its question, what to do, and then what the live model answers."""

from m2rec.ui.lessons import LAST_STEP, lesson, lessons
from m2rec.ui.lessons.measures import is_its_own, outcome, starting_history
from m2rec.ui.render.context import Scene
from m2rec.ui.render.templating import render


def current(scene: Scene) -> str:
    """The lesson bar, or nothing outside a lesson."""
    if scene.state.lesson is None:
        return ""
    one = lesson(scene.state.lesson)
    all_ids = [other.id for other in lessons()]
    number = all_ids.index(one.id) + 1
    own = is_its_own(one, scene)
    shown = outcome(one, scene) if own and scene.state.lesson_step == LAST_STEP else None
    following = all_ids[number] if number < len(all_ids) else None
    stands_in = starting_history(one, scene.world).key != one.preset
    return render(
        "lesson.html.j2",
        lesson=one,
        setting=one.stand_in_scene if stands_in else one.scene,
        number=number,
        count=len(all_ids),
        step=scene.state.lesson_step,
        own=own,
        chosen=scene.state.lesson_choice,
        outcome=shown,
        following=following,
    )
