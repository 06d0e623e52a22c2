"""Behind a reverse proxy under a sub-path, configured in the three common ways."""

from collections.abc import Iterator

import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import Browser, expect

from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.app import build, start
from tests.ui.fake_recommender import FakeRecommender
from tests.ui.web.reverse_proxy import proxied

ROOT = "/demo"
WAYS = {"strips": (ROOT, True), "keeps": (ROOT, False), "strips, and the page does not know": ("", True)}


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS)
def behind_proxy(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    """The address that visitors use, and whether the server knows that it is behind a path."""
    known, strips = request.param
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GRADIO_ROOT_PATH", known)
        running, url = start(build(Worlds({"toy-shop": World("toy-shop", FakeRecommender)})), quiet=True)
    try:
        with proxied(url, ROOT, strips) as address:
            yield address, bool(known)
    finally:
        running.close(verbose=False)


def test_the_page_works(behind_proxy: tuple[str, bool], browser: Browser) -> None:
    address, _ = behind_proxy
    page = browser.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("response", lambda answer: troubles.append(answer.url) if answer.status >= 400 else None)
    page.on(
        "request", lambda asked: troubles.append(asked.url) if not asked.url.startswith((address, "data:")) else None
    )
    page.goto(address)
    page.locator(".m2[data-ready]").wait_for()
    page.locator("#m2-spectrum-plot .main-svg").first.wait_for()
    page.get_by_role("button", name="Clear the history").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_url(f"{address}?s=*")
    page.close()
    assert troubles == []


def test_every_file_and_call_of_the_page_works(behind_proxy: tuple[str, bool]) -> None:
    address, _ = behind_proxy
    assert httpx.get(address.rstrip("/"), follow_redirects=True).url == address
    assert httpx.get(f"{address}m2rec-static/main.js").status_code == 200
    found = httpx.post(f"{address}search", json={"world": "toy-shop", "query": "oat m"}).json()
    assert [hit["title"] for hit in found["hits"]] == ["Oat milk"]
    assert httpx.get(f"{address}nowhere").status_code == 404


def test_programs_call_the_endpoints_by_name(behind_proxy: tuple[str, bool]) -> None:
    address, path_known = behind_proxy
    if not path_known:  # as for any Gradio app: its clients call the address that the server gives them
        posted = httpx.post(f"{address}gradio_api/call/search", json={"data": ["toy-shop", "oat m"]}).json()
        assert "Oat milk" in httpx.get(f"{address}gradio_api/call/search/{posted['event_id']}").text
        return
    (hit,) = Client(address, verbose=False).predict("toy-shop", "oat m", api_name="/search")
    assert hit["title"] == "Oat milk"


def test_a_preview_of_a_link_finds_its_picture(behind_proxy: tuple[str, bool]) -> None:
    address, path_known = behind_proxy
    document = httpx.get(address).text
    if path_known:
        assert f'property="og:image" content="{address}preview.png"' in document
    assert httpx.get(f"{address}preview.png").headers["content-type"] == "image/png"
