"""What the browser gets compressed, and that it is the same as what it would get plainly."""

import gzip
import os
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from m2rec.ui.web.compression import SMALLEST, Packing, Shelf, encoding
from m2rec.ui.web.throttle import PAGE_CALLS
from tests.own_loop import run_apart

LONG = {"titles": ["Coffee"] * SMALLEST}


def scope_with(accepted: str | None) -> Scope:
    headers = [] if accepted is None else [(b"accept-encoding", accepted.encode())]
    return {"type": "http", "headers": headers}


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("BR", "br"),
        ("identity", None),
        ("*", None),
        ("brotli", None),
        ("", None),
        (None, None),
    ],
)
def test_the_browser_chooses(accepted: str | None, chosen: str | None) -> None:
    assert encoding(scope_with(accepted)) == chosen


def answered(path: str, how: str, content: object = LONG, pieces: bool = False) -> httpx.Response:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = JSONResponse(content)
        if pieces:
            response = StreamingResponse(iter([b"a" * SMALLEST, b"b"]))
        await response(scope, receive, send)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Packing(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.post(path, headers={"Accept-Encoding": how})

    return run_apart(ask())


@pytest.mark.parametrize("path", [PAGE_CALLS, f"{PAGE_CALLS}/", "/"])
@pytest.mark.parametrize("how", ["br", "gzip"])
def test_an_answer_comes_compressed_and_whole(path: str, how: str) -> None:
    packed, plain = answered(path, how), answered(path, "identity")
    assert packed.headers["content-encoding"] == how
    assert packed.headers["vary"] == "Accept-Encoding"
    assert int(packed.headers["content-length"]) < len(plain.content) / 5
    assert packed.json() == plain.json() == LONG
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    "asked",
    [{"path": "/config"}, {"path": PAGE_CALLS, "content": {"error": "short"}}, {"path": PAGE_CALLS, "pieces": True}],
    ids=["elsewhere", "short", "in pieces"],
)
def test_the_rest_is_left_as_it_is(asked: dict) -> None:
    reply, plain = answered(how="br", **asked), answered(how="identity", **asked)
    assert "content-encoding" not in reply.headers
    assert reply.content == plain.content


def test_what_is_already_compressed_is_not_compressed_again() -> None:
    packed = gzip.compress(b"a" * 5 * SMALLEST, compresslevel=0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(packed))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": packed})

    sent: list[dict] = []

    async def note(message: dict) -> None:
        sent.append(message)

    run_apart(Packing(app)({**scope_with("br"), "path": PAGE_CALLS}, None, note))  # type: ignore[arg-type]
    assert sent[-1]["body"] == packed


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    (tmp_path / "long.js").write_text("let coffee = 1;\n" * SMALLEST)
    (tmp_path / "short.js").write_text("let coffee = 1;\n")
    (tmp_path / "picture.png").write_bytes(bytes(5 * SMALLEST))
    return tmp_path


def fetched(folder: Path, name: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Shelf(directory=folder))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(name, headers=headers)

    return run_apart(ask())


def test_a_script_comes_compressed_with_the_headers_of_a_file(shelf: Path) -> None:
    plain = fetched(shelf, "/long.js", **{"Accept-Encoding": "identity"})
    for how in ("br", "gzip"):
        packed = fetched(shelf, "/long.js", **{"Accept-Encoding": how})
        assert packed.content == plain.content == (shelf / "long.js").read_bytes()
        assert packed.headers["content-encoding"] == how
        assert packed.headers["vary"] == "Accept-Encoding"
        for same in ("etag", "last-modified", "content-type"):
            assert packed.headers[same] == plain.headers[same]


def test_a_script_that_changed_is_read_again(shelf: Path) -> None:
    fetched(shelf, "/long.js", **{"Accept-Encoding": "br"})
    (shelf / "long.js").write_text("let tea = 2;\n" * SMALLEST)
    os.utime(shelf / "long.js", (1, 1))
    assert fetched(shelf, "/long.js", **{"Accept-Encoding": "br"}).text.startswith("let tea")


def test_what_the_browser_has_is_not_sent_again(shelf: Path) -> None:
    tag = fetched(shelf, "/long.js", **{"Accept-Encoding": "br"}).headers["etag"]
    again = fetched(shelf, "/long.js", **{"Accept-Encoding": "br", "If-None-Match": tag})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize("name", ["/short.js", "/picture.png"])
def test_what_does_not_shrink_is_sent_as_it_is(shelf: Path, name: str) -> None:
    reply = fetched(shelf, name, **{"Accept-Encoding": "br"})
    assert "content-encoding" not in reply.headers
    assert reply.content == (shelf / name[1:]).read_bytes()


def test_the_page_and_its_answers_come_compressed(address: str) -> None:
    with httpx.stream("GET", address, headers={"Accept-Encoding": "br"}) as document:
        raw = b"".join(document.iter_raw())
    assert document.headers["content-encoding"] == "br"
    assert b"</html>" in brotli.decompress(raw)
    script = httpx.get(f"{address}m2rec-static/main.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
