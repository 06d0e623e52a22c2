"""What can be foreseen is answered before anybody asks: every preset, and every lesson from its scene to its answer."""

from m2rec.ui.lessons import lessons
from m2rec.ui.session.cache import for_good
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session
from m2rec.ui.session.worlds import World, Worlds
from m2rec.ui.web.service import Service

STEPS = ("lesson_do", "lesson_show")


def foresee(worlds: Worlds) -> None:
    """Loads every world and plays its presets and lessons through; what the models said to them is never forgotten."""
    worlds.load()
    with for_good():
        for world in worlds:
            if world.error is None:
                _play(Service(worlds), world)


def _play(service: Service, world: World) -> None:
    """As a visitor would, click by click, so that each later click finds its answer."""
    there = Session(state=opening(world)).model_dump(mode="json")
    for one in world.presets:
        service.act({"session": there, "action": {"type": "preset", "value": one.key}})
    for lesson in lessons():
        if lesson.world in (None, world.name):
            session = there
            for action in ({"type": "lesson", "lesson": lesson.id}, *({"type": step} for step in STEPS)):
                session = service.act({"session": session, "action": action})["session"]
