"""What is in the document before any script has run."""

import re

import httpx
import pytest
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import Receive, Scope, Send

from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.app import STATIC
from m2rec.ui.web.document import Document, head
from m2rec.ui.web.service import Service
from tests.own_loop import run_apart

GRADIO = """<!doctype html><html><head><script>window.gradio_config = {"title": "<gradio-app>"};</script></head>
<body><gradio-app eager="true"></gradio-app><script>const ce = 1;</script></body></html>"""


def filled(path: str = "/", method: str = "GET", json: bool = False) -> httpx.Response:
    """The reply of a stand-in for Gradio, with a page put into it."""

    async def gradio(scope: Scope, receive: Receive, send: Send) -> None:
        await (JSONResponse({"html": "<gradio-app"}) if json else HTMLResponse(GRADIO))(scope, receive, send)

    async def ask() -> httpx.Response:
        app = Document(gradio, head="<title>T</title>", body="<main>page</main>")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            return await client.request(method, path)

    return run_apart(ask())


def test_the_default_answer_is_in_the_document_escaped_and_only_once(address: str, worlds: Worlds) -> None:
    document = httpx.get(address).text
    html = Service(worlds).first()["html"]
    for region in ("history", "reading", "cards", "gate"):
        assert html[region] in document
    for mark in ('<main class="m2"', 'id="m2-cards"', 'class="reading"', "<title>"):
        assert document.count(mark) == 1
    ids = re.findall(r'\sid="([^"]+)"', document[document.index("<main") : document.index("</main>")])
    assert len(ids) == len(set(ids))
    assert "<b>Bold" not in document
    assert document.index("</main>") < document.index("<gradio-app")


def test_all_scripts_that_the_page_imports_are_fetched_at_once() -> None:
    fetched = set(re.findall(r'modulepreload" href="m2rec-static/([^"]+)"', head(STATIC)))
    imported = {
        found
        for path in STATIC.glob("*.js")
        for found in re.findall(r'^import .* from "\./([^"]+)"', path.read_text(encoding="utf-8"), flags=re.M)
    }
    assert imported < fetched
    assert all((STATIC / name).is_file() for name in re.findall(r'"m2rec-static/([^"]+)"', head(STATIC)))


def test_the_document_is_compressed_for_whom_it_may_be_and_says_its_true_length(address: str) -> None:
    packed, plain = (httpx.get(address, headers={"Accept-Encoding": way}) for way in ("gzip", "identity"))
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == len(plain.content) > 3 * int(packed.headers["content-length"])
    assert packed.text == plain.text


def test_the_page_stands_before_gradios_element_whatever_the_configuration_says() -> None:
    text = filled().text
    assert text.startswith("<!doctype html><html><head><title>T</title><script>")
    assert '"<gradio-app>"' in text
    assert '<main>page</main><gradio-app eager="true">' in text


@pytest.mark.parametrize(
    "asked", [{"path": "/config"}, {"method": "HEAD"}, {"json": True}], ids=["elsewhere", "head", "no document"]
)
def test_nothing_else_is_changed(asked: dict) -> None:
    assert "page" not in filled(**asked).text
