"""The page over a stand-in world: no training, no files."""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

from m2rec.benchmark.page.browser import chromium
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service
from tests.ui.fake_recommender import FakeRecommender

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

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
def page_context(worlds: Worlds) -> PageContext:
    """A history with coffee every seventh day, and its answer."""
    state = State(world="toy-shop", history=WEEKLY)
    return PageContext(worlds, worlds.get("toy-shop"), Session(state=state), ask(worlds, state))


CARD = """# Toy shop

A made-up shop.

| | |
| --- | --- |
| command | `python -m m2rec train toy-shop --with-an-option-that-is-longer-than-a-phone-is-wide` |
"""


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running page can be reached, started once for all tests that need one."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from m2rec.ui.web.app import build, start

    broken = World("broken", FakeRecommender, error="The checkpoint broken lacks model.safetensors: fetch it again.")
    folder = tmp_path_factory.mktemp("root") / "checkpoints" / "toy-shop"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    worlds = Worlds({"toy-shop": World("toy-shop", FakeRecommender, folder), "broken": broken})
    running, url = start(build(worlds), quiet=True)
    yield url
    running.close(verbose=False)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium without a screen; the test is skipped where there is none."""
    pytest.importorskip("playwright.sync_api", reason="needs playwright: see requirements-dev.txt")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("needs a browser: install chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser: "Browser") -> Iterator["BrowserContext"]:
    """A visitor's browser of laptop size."""
    from tests.ui.browser.visiting import LAPTOP, PATIENCE

    context = browser.new_context(viewport=LAPTOP, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: "BrowserContext", address: str) -> Iterator["Page"]:
    """The page, ready; the test fails on a console error or on a request to any other host."""
    from tests.ui.browser.visiting import visit

    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if _foreign(request.url, address) else None)
    visit(page, address)
    yield page
    assert complaints == []


def _foreign(url: str, address: str) -> bool:
    return urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != urlsplit(address).hostname
