from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from m2rec.ui.web.validation import LARGEST_BODY, NOT_HERE, path_within_root


@pytest.mark.parametrize(
    "path",
    [
        "upload",
        "upload_progress",
        "file=/etc/passwd",
        "file/etc/passwd",
        "proxy=http://127.0.0.1/",
        "stream/some/0/1/playlist.m3u8",
        "component_server",
        "custom_component/a/client/component/a",
        "deep_link",
        "process_recording",
        "run-history/records",
        "runs",
        "run/predict",
        "api/recommend",
        "dev/reload",
        "login",
        "vibe-code",
        "undo-vibe-edit",
        "vibe-starter-queries",
        "monitoring/summary",
        "profiling/traces",
        "static/a",
        "assets/a",
        "svelte/a",
    ],
)
@pytest.mark.parametrize("prefix", ["/gradio_api/", "/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unused_addresses_of_gradio_are_not_served(address: str, path: str, prefix: str, method: str) -> None:
    reply = httpx.request(method, address.rstrip("/") + prefix + path)
    assert reply.status_code == 404
    assert NOT_HERE in reply.text


@pytest.mark.parametrize("path", ["act", "gradio_api/call/recommend"])
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(address: str, path: str) -> None:
    connection = HTTPConnection(urlsplit(address).netloc)
    connection.putrequest("POST", f"/{path}")
    connection.putheader("Content-Length", str(LARGEST_BODY + 1))
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413
    assert b"larger than 8 MiB" in reply.read()


def test_a_body_of_unknown_length_is_read_only_to_the_limit(address: str) -> None:
    parts = (b" " * 2**20 for _ in range(LARGEST_BODY // 2**20 + 1))
    assert httpx.post(f"{address}act", content=parts).status_code == 413


@pytest.mark.parametrize("call", ["act", "open", "search", "ask"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 5000])
def test_a_call_that_is_not_json_is_refused_with_a_sentence(address: str, call: str, body: bytes) -> None:
    reply = httpx.post(address + call, content=body)
    assert reply.json() == {"error": "The request must be JSON in UTF-8."}


def test_a_search_of_more_than_200_characters_is_refused_with_a_sentence(address: str) -> None:
    long = {"world": "toy-shop", "query": "x" * 201}
    assert (
        httpx.post(f"{address}search", json=long)
        .json()["error"]
        .startswith("query must be a text of at most 200 characters, not “xxx")
    )


@pytest.mark.parametrize(
    ("call", "body", "sentence"),
    [
        ("recommend", {"data": ["toy-shop", []]}, "data must hold 6 arguments (world, history, k, "),
        ("recommend", {}, "data is missing: it must be given."),
        ("recommend", [], "the request must be an object with named fields"),
        ("v2/recommend", {"world": "toy-shop"}, "history is missing: it must be given."),
        ("v2/recommend", {"world": "toy-shop", "history": [], "colour": 3}, "“colour” is not a field of this request"),
        ("v2/search", 3, "the request must be an object with named fields, not 3."),
    ],
)
def test_a_call_by_name_with_wrong_arguments_is_refused_with_a_sentence(
    address: str, call: str, body: object, sentence: str
) -> None:
    reply = httpx.post(f"{address}gradio_api/call/{call}", json=body)
    assert reply.status_code == 422
    assert reply.json()["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("number", "data", "sentence"),
    [
        (4, [], "fn_index must be below 4, not 4"),
        (-1, [], "fn_index must be the number of an endpoint"),
        (1, ["toy-shop"], "data must hold 2 arguments (world, query), not 1."),
        (2, None, "data must be a list"),
    ],
)
def test_a_call_by_number_with_wrong_arguments_is_refused_with_a_sentence(
    address: str, number: int, data: object, sentence: str
) -> None:
    body = {"fn_index": number, "data": data, "session_hash": "one"}
    assert httpx.post(f"{address}gradio_api/queue/join", json=body).json()["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("root", "path", "within"),
    [
        ("", "/act", "/act"),
        ("/demo", "/demo/act", "/act"),
        ("/demo", "/act", "/act"),
        ("/demo/", "/demo/", "/"),
        ("/demo", "/demo", "/"),
        ("/demo", "/demonstration", "/demonstration"),
    ],
)
def test_the_root_path_is_removed_if_a_proxy_has_not_done_so(root: str, path: str, within: str) -> None:
    assert path_within_root({"root_path": root, "path": path}) == within
