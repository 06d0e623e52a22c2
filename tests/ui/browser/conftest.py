"""A running page over the shipped Rhythm Market, for what only a trained model can show."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"


@pytest.fixture(scope="session")
def market_address() -> Iterator[str]:
    """Where the Rhythm Market can be reached, started once for all tests that need it."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from m2rec.ui.session.worlds import Worlds
    from m2rec.ui.web.app import build, start

    worlds = Worlds({world.name: world for world in Worlds.find(CHECKPOINTS) if world.name == "rhythm-market"})
    running, url = start(build(worlds), quiet=True)
    yield url
    running.close(verbose=False)
