"""Which responses are compressed, and that their content is unchanged."""

import os
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.responses import Response
from starlette.types import Scope

from m2rec.ui.web.compression import SMALLEST, StaticFolder, accepted_encoding, compressed_response
from tests.own_loop import run_apart


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
def test_the_encoding_is_one_that_the_browser_accepts(accepted: str | None, chosen: str | None) -> None:
    assert accepted_encoding(scope_with(accepted)) == chosen


CONTENT = b'{"titles": "' + b"Coffee, " * SMALLEST + b'"}'


def received(response: Response) -> httpx.Response:
    return httpx.Response(response.status_code, headers=response.raw_headers, content=response.body)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("how", ["br", "gzip"])
def test_an_answer_is_compressed_without_loss(how: str, shared: bool) -> None:
    small, plain = (
        received(compressed_response(scope_with(accepted), CONTENT, "application/json", shared=shared))
        for accepted in (how, "identity")
    )
    assert small.headers["content-encoding"] == how
    assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(small.headers["content-length"]) < len(CONTENT) / 5
    assert small.content == plain.content == CONTENT
    assert "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == len(CONTENT)


def test_a_short_answer_is_not_compressed() -> None:
    reply = received(compressed_response(scope_with("br"), b'{"error": "short"}', "application/json"))
    assert "content-encoding" not in reply.headers
    assert reply.json() == {"error": "short"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "long.js").write_text("let coffee = 1;\n" * SMALLEST)
    (tmp_path / "short.js").write_text("let coffee = 1;\n")
    (tmp_path / "picture.png").write_bytes(bytes(5 * SMALLEST))
    return tmp_path


def fetched(folder: Path, name: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(StaticFolder(directory=folder))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(name, headers=headers)

    return run_apart(ask())


def test_a_script_is_compressed_and_has_the_headers_of_a_file(folder: Path) -> None:
    plain = fetched(folder, "/long.js", **{"Accept-Encoding": "identity"})
    for how in ("br", "gzip"):
        small = fetched(folder, "/long.js", **{"Accept-Encoding": how})
        assert small.content == plain.content == (folder / "long.js").read_bytes()
        assert small.headers["content-encoding"] == how
        assert small.headers["vary"] == "Accept-Encoding"
        for same in ("etag", "last-modified", "content-type"):
            assert small.headers[same] == plain.headers[same]


def test_a_script_that_changed_is_read_again(folder: Path) -> None:
    fetched(folder, "/long.js", **{"Accept-Encoding": "br"})
    (folder / "long.js").write_text("let tea = 2;\n" * SMALLEST)
    os.utime(folder / "long.js", (1, 1))
    assert fetched(folder, "/long.js", **{"Accept-Encoding": "br"}).text.startswith("let tea")


def test_a_file_that_the_browser_has_is_not_sent_again(folder: Path) -> None:
    tag = fetched(folder, "/long.js", **{"Accept-Encoding": "br"}).headers["etag"]
    again = fetched(folder, "/long.js", **{"Accept-Encoding": "br", "If-None-Match": tag})
    assert again.status_code == 304
    assert not again.content


@pytest.mark.parametrize("name", ["/short.js", "/picture.png"])
def test_a_file_that_does_not_shrink_is_not_compressed(folder: Path, name: str) -> None:
    reply = fetched(folder, name, **{"Accept-Encoding": "br"})
    assert "content-encoding" not in reply.headers
    assert reply.content == (folder / name[1:]).read_bytes()


def test_the_page_and_its_answers_are_compressed(address: str) -> None:
    with httpx.stream("GET", address, headers={"Accept-Encoding": "br"}) as document:
        raw = b"".join(document.iter_raw())
    assert document.headers["content-encoding"] == "br"
    assert b"</html>" in brotli.decompress(raw)
    script = httpx.get(f"{address}m2rec-static/main.js", headers={"Accept-Encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    answer = httpx.post(f"{address}search", json={"world": "toy-shop", "query": ""}, headers={"Accept-Encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    assert answer.json()["hits"]
