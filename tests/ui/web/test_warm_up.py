from typing import Any

import pytest

from m2rec.errors import CheckpointError
from m2rec.ui.lessons import lessons
from m2rec.ui.session.cache import Cache, permanently
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import CACHED_ANSWERS, Worlds
from m2rec.ui.web.service import Service
from m2rec.ui.web.warm_up import STEPS, warm_up
from tests.ui.fake_recommender import FakeRecommender


def failing() -> FakeRecommender:
    raise CheckpointError("model.safetensors is cut short: fetch it again.")


@pytest.fixture(scope="module")
def service() -> Service:
    """A page whose presets and lessons are cached, after many visitors, with a model that no longer answers."""
    worlds = Worlds({"toy": World("toy", FakeRecommender), "cut": World("cut", failing)})
    warm_up(worlds)
    for visitor in range(CACHED_ANSWERS + 1):
        worlds.answer("toy", (f"i0{visitor % 8}",), k=1 + visitor % 50, exclude_seen=visitor % 3 == 0)
        worlds.calendar("toy", ("i00",), (visitor,))
    worlds.get("toy").recommender.recommend = None  # type: ignore[method-assign, assignment]
    return Service(worlds)


def act(service: Service, view: dict[str, Any], **action: object) -> dict[str, Any]:
    return service.act({"session": view["session"], "action": action, "before": view["ranking"]})


def test_every_preset_is_answered_without_the_model(service: Service) -> None:
    first = service.first()
    for one in service.worlds.default.presets:
        assert act(service, first, type="preset", value=one.key)["ranking"]


@pytest.mark.parametrize("lesson_id", [one.id for one in lessons() if one.world is None])
def test_every_step_of_every_lesson_is_answered_without_the_model(service: Service, lesson_id: str) -> None:
    view = act(service, service.first(), type="lesson", lesson=lesson_id)
    for step in STEPS:
        view = act(service, view, type=step)
    assert 'class="outcome"' in view["html"]["lesson"]


def test_other_answers_still_need_the_model(service: Service) -> None:
    with pytest.raises(TypeError):
        act(service, service.first(), type="remove", at=3)


def test_only_the_newest_and_the_permanent_answers_are_cached() -> None:
    asked = []
    kept = Cache(lambda number: asked.append(number) or -number, newest=2)
    with permanently():
        assert kept(1) == -1
    for number in (2, 3, 4, 2, 1, 1):
        assert kept(number) == -number
    assert asked == [1, 2, 3, 4, 2]
