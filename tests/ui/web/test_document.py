"""The document as it is before any script has run."""

import json
import re
from html.parser import HTMLParser

import httpx
import pytest

from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.app import build, start
from m2rec.ui.web.document import STATIC
from m2rec.ui.web.service import Service
from tests.places import ROOT
from tests.ui.fake_recommender import FakeRecommender

VIEW = re.compile(r'<script type="application/json" id="m2-view">(.*?)</script>', re.S)


class Head(HTMLParser):
    """The document's meta elements, by name or property."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or given.get("property")
        if tag == "meta" and name:
            self.meta[name] = given["content"] or ""


def view_in(document: str) -> dict:
    (view,) = VIEW.findall(document)
    return json.loads(view)


def test_the_default_answer_is_in_the_document_escaped_and_only_once(address: str, worlds: Worlds) -> None:
    document = httpx.get(address).text
    html = Service(worlds).first()["html"]
    for region in ("history", "reading", "cards", "gate"):
        assert html[region] in document
    for mark in (
        '<main class="m2"',
        "<main",
        'id="m2-cards"',
        'class="reading"',
        "<title>",
        "<body>",
        "<!doctype html>",
    ):
        assert document.count(mark) == 1
    ids = re.findall(r'\sid="([^"]+)"', document)
    assert len(ids) == len(set(ids))
    assert "<b>Bold" not in document


def test_the_view_in_the_document_is_what_a_call_would_give(address: str, worlds: Worlds) -> None:
    first = json.loads(json.dumps(Service(worlds).first()))
    html = first.pop("html")
    assert html
    assert view_in(httpx.get(address).text) == first


def test_all_scripts_and_styles_are_preloaded_and_exist(address: str) -> None:
    document = httpx.get(address).text
    fetched = set(re.findall(r'modulepreload" href="m2rec-static/([^"]+)"', document))
    imported = {
        (path.parent / found).resolve().relative_to(STATIC.resolve()).as_posix()
        for path in STATIC.rglob("*.js")
        if path.parent.name != "vendor"
        for found in re.findall(r'^import .* from "([^"]+)"', path.read_text(encoding="utf-8"), flags=re.M)
    }
    assert imported < fetched
    named = re.findall(r'"m2rec-static/([^"]+)"', document)
    assert len(named) > len(fetched)
    for name in named:
        assert httpx.get(f"{address}m2rec-static/{name}").status_code == 200
    assert {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.css")} <= set(named)


def test_the_document_is_compressed_if_accepted_and_has_the_right_length(address: str) -> None:
    small, plain = (httpx.get(address, headers={"Accept-Encoding": way}) for way in ("gzip", "identity"))
    assert small.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == len(plain.content) > 3 * int(small.headers["content-length"])
    assert small.text == plain.text


def test_a_head_request_gets_no_body(address: str) -> None:
    reply = httpx.head(address)
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert not reply.content


@pytest.fixture(scope="module")
def two_worlds() -> str:
    worlds = {name: World(name, FakeRecommender) for name in ("one-shop", "other-shop")}
    broken = World("broken", FakeRecommender, error="The checkpoint broken lacks model.safetensors: fetch it again.")
    running, url = start(build(Worlds({**worlds, "broken": broken})), quiet=True)
    yield url
    running.close(verbose=False)


@pytest.mark.parametrize(
    ("asked", "world"), [("", "one-shop"), ("?world=", "one-shop"), ("?world=other-shop", "other-shop")]
)
def test_the_address_selects_the_world(two_worlds: str, asked: str, world: str) -> None:
    document = httpx.get(two_worlds + asked).text
    view = view_in(document)
    assert view["session"]["state"]["world"] == world
    assert "notice" not in view
    assert re.search(rf'<option value="{world}"[^>]* selected', document)


@pytest.mark.parametrize(
    ("asked", "notice"),
    [
        ("nowhere", "There is no world called “nowhere”"),
        ("broken", "lacks model.safetensors"),
        ("<script>alert(1)</script>", "There is no world called “<script>"),
        ("x" * 5000, "There is no world called “xxx"),
    ],
)
def test_a_world_that_cannot_be_opened_gives_a_notice_and_the_default_world(
    two_worlds: str, asked: str, notice: str
) -> None:
    document = httpx.get(two_worlds, params={"world": asked}).text
    view = view_in(document)
    assert view["session"]["state"]["world"] == "one-shop"
    assert notice in view["notice"]
    assert "<script>alert" not in document


def test_a_preview_of_a_link_has_a_title_a_sentence_and_a_picture_from_the_same_host(address: str) -> None:
    meta = Head(httpx.get(address).text).meta
    assert meta["og:title"].startswith("M2Rec")
    assert meta["og:description"].endswith(".")
    assert "Gradio" not in meta["og:title"] + meta["og:description"]
    assert meta["og:image"].startswith(address)
    picture = httpx.get(meta["og:image"])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content == (ROOT / "assets" / "page.png").read_bytes()


def test_a_preview_behind_a_proxy_names_the_requested_host(address: str) -> None:
    forwarded = {"X-Forwarded-Host": "somewhere.example", "X-Forwarded-Proto": "https"}
    meta = Head(httpx.get(address, headers=forwarded).text).meta
    assert meta["og:image"] == "https://somewhere.example/preview.png"
    assert meta["og:url"] == "https://somewhere.example/"


def test_an_invalid_host_header_cannot_inject_into_the_document(address: str) -> None:
    document = httpx.get(address, headers={"X-Forwarded-Host": 'x"><script>alert(1)</script>'}).text
    assert "<script>alert" not in document
