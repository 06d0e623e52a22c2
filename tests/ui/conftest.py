"""The page over a stand-in world: no training, no files."""

import pytest
from hypothesis import settings

from m2rec.ui.scene import Scene, ask
from m2rec.ui.service import Service
from m2rec.ui.state import Session, State
from m2rec.ui.worlds import World, Worlds
from tests.ui.fake_recommender import FakeRecommender

settings.register_profile("patient", deadline=None)  # speed is never asserted
settings.load_profile("patient")

WEEKLY = tuple("i00" if day % 7 == 6 else f"i{1 + day % 4}{day % 8}" for day in range(27))


@pytest.fixture
def worlds() -> Worlds:
    """One world that works, and one that does not."""
    broken = World(
        "broken", FakeRecommender, error="The checkpoint broken lacks model.safetensors: fetch or train it again."
    )
    return Worlds({"toy-shop": World("toy-shop", FakeRecommender), "broken": broken})


@pytest.fixture
def service(worlds: Worlds) -> Service:
    """The page's server side."""
    return Service(worlds)


@pytest.fixture
def scene(worlds: Worlds) -> Scene:
    """A history with coffee every seventh day, and its answer."""
    state = State(world="toy-shop", history=WEEKLY)
    return Scene(worlds, worlds.get("toy-shop"), Session(state=state), ask(worlds, state))
