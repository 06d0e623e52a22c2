"""Fill the caches before the first request: answers for all presets, and for every step of all lessons."""

from m2rec.ui.lessons import lessons
from m2rec.ui.session.cache import permanently
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service

STEPS = ("lesson_do", "lesson_show")


def warm_up(worlds: Worlds) -> None:
    """Load all worlds and compute the answers for their presets and lessons, which then stay in the caches."""
    worlds.load()
    with permanently():
        for world in worlds:
            if world.error is None:
                _go_through(Service(worlds), world)


def _go_through(service: Service, world: World) -> None:
    """Make the same calls as a visitor who opens every preset and lesson."""
    first = Session(state=opening(world)).model_dump(mode="json")
    for one in world.presets:
        service.act({"session": first, "action": {"type": "preset", "value": one.key}})
    for lesson in lessons():
        if lesson.world in (None, world.name):
            session = first
            for action in ({"type": "lesson", "lesson": lesson.id}, *({"type": step} for step in STEPS)):
                session = service.act({"session": session, "action": action})["session"]
