from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from m2rec.ui.web.headers import HEADERS
from m2rec.ui.web.validation import LARGEST_BODY, NOT_HERE


@pytest.mark.parametrize("path", ["/", "/config", "/m2rec-static/main.js", "/nowhere", "/gradio_api/upload"])
def test_every_response_carries_the_headers(address: str, path: str) -> None:
    headers = httpx.get(address.rstrip("/") + path).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_no_other_host_may_be_asked_for_anything() -> None:
    sources = HEADERS["Content-Security-Policy"].replace(";", " ").split()
    assert not [source for source in sources if "." in source or "*" in source or "http" in source]


@pytest.mark.parametrize(
    "path",
    [
        "upload",
        "upload_progress",
        "file=/etc/passwd",
        "file/etc/passwd",
        "proxy=http://127.0.0.1/",
        "stream/some/0/1/playlist.m3u8",
        "deep_link",
        "process_recording",
        "run-history/records",
        "dev/reload",
        "vibe-code",
        "undo-vibe-edit",
        "monitoring/summary",
        "profiling/traces",
    ],
)
@pytest.mark.parametrize("prefix", ["/gradio_api/", "/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_doors_that_nothing_uses_are_not_there(address: str, path: str, prefix: str, method: str) -> None:
    reply = httpx.request(method, address.rstrip("/") + prefix + path)
    assert reply.status_code == 404
    assert NOT_HERE in reply.text


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(address: str) -> None:
    connection = HTTPConnection(urlsplit(address).netloc)
    connection.putrequest("POST", "/gradio_api/component_server")
    connection.putheader("Content-Length", str(LARGEST_BODY + 1))
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413
    assert b"larger than 8 MiB" in reply.read()


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(address: str) -> None:
    parts = (b" " * 2**20 for _ in range(LARGEST_BODY // 2**20 + 1))
    assert httpx.post(address.rstrip("/") + "/gradio_api/component_server", content=parts).status_code == 413
