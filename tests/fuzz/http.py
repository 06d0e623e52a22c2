"""Campaigns against a running page over the loopback: its endpoints, Gradio's private ones, and its addresses."""

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from tests.fuzz import inputs, page, shop, verdict

API = "/gradio_api"
ARGUMENTS: dict[str, list[Any]] = {
    "recommend": ["tiny-shop", ["Ground coffee", "i03", "Honey"], 5, False, {"temporal": 1}, [[2, 5]]],
    "search": ["tiny-shop", "coffee"],
    "worlds": [],
}
PARAMETERS = {
    "recommend": ("world", "history", "k", "exclude_seen", "gate_override", "band_mask"),
    "search": ("world", "query"),
    "worlds": (),
}
SECRETS = ("/etc/passwd", "/proc/self/environ", "app.py", "m2rec/checkpoint.py", "checkpoints/ml-1m/items.csv")
GIVEAWAYS = ("root:x:", "M2Rec cannot start", "class CheckpointConfig", "M2REC_CACHE=")  # that stand in them
PLACES = (
    "/gradio_api/file={}",
    "/file={}",
    "/gradio_api/file/{}",
    "/gradio_api/proxy={}",
    "/gradio_api/proxy=http://127.0.0.1:9/{}",
    "/gradio_api/stream/a/b/c/{}",
    "/gradio_api/custom_component/a/client/component/{}",
    "/static/{}",
    "/assets/{}",
    "/svelte/{}",
    "/m2rec-static/{}",
    "/m2rec-static/..%2f..%2f{}",
    "/m2rec-static/../../{}",
    "/gradio_api/heartbeat/../{}",
    "/gradio_api/info?{}",
    "/config?{}",
    "/gradio_api/deep_link?session_hash={}",
    "/gradio_api/runs?{}",
    "/gradio_api/call/recommend/{}",
    "/gradio_api/upload_progress?upload_id={}",
    "/monitoring/{}",
    "/gradio_api/vibe-code?{}",
    "/gradio_api/startup-events?{}",
    "/theme.css?{}",
    "/manifest.json?{}",
    "/pwa_icon/{}",
    "/{}",
    "/?s={}",
    "/?__theme={}",
)
POSTS = (
    "upload",
    "component_server",
    "queue/join",
    "cancel",
    "reset",
    "stream/x",
    "process_recording",
    "vibe-edit",
    "vibe-code",
    "undo-vibe-edit",
    "vibe-starter-queries",
    "run/recommend",
    "run/predict",
    "api/search",
    "call/recommend",
    "call/nothing",
    "call/v2/recommend",
    "call/v2/nothing",
    "login",
)


@contextmanager
def running() -> Iterator[httpx.Client]:
    """The page over the tiny shop, on a free port of the loopback, and a client for it."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from m2rec.ui.web.app import build, start

    running, url = start(build(shop.worlds()), quiet=True)
    try:
        with httpx.Client(base_url=url.rstrip("/"), timeout=60, trust_env=False) as client:
            yield client
    finally:
        running.close(verbose=False)


def endpoints(client: httpx.Client, count: int, seed: int = 0) -> verdict.Tally:
    """Spoilt and random arguments to every endpoint, named and by its number in the queue."""
    chance, tally = random.Random(seed), verdict.Tally()
    numbers = [number for number, _ in enumerate(client.get("/config").json()["dependencies"])]
    for turn in range(count):
        name = chance.choice(list(ARGUMENTS))
        dice = chance.random()
        data = ARGUMENTS[name] if dice < 0.1 else inputs.spoilt(chance, ARGUMENTS[name])
        if dice > 0.9:
            data = inputs.value(chance)
        dice = chance.random()
        if dice < 0.4:
            answer = _post(client, f"{API}/call/{name}", {"data": data})
            tally[_called(client, name, answer)] += 1
        elif dice < 0.6:
            named = dict(zip(PARAMETERS[name], ARGUMENTS[name], strict=True))
            answer = _post(client, f"{API}/call/v2/{name}", inputs.spoilt(chance, named))
            tally[_called(client, name, answer)] += 1
        else:
            body = {"data": data, "fn_index": chance.choice(numbers), "session_hash": f"fuzz{seed}-{turn}"}
            tally[_queued(client, body, _post(client, f"{API}/queue/join", body))] += 1
    return tally


def page_calls(client: httpx.Client, count: int, seed: int = 0) -> verdict.Tally:
    """What the page's JavaScript sends, spoilt."""
    chance, tally = random.Random(seed), verdict.Tally()
    for _ in range(count):
        name, data = page.payload(chance)
        answer = _post(client, f"/{name}", data)
        tally[verdict.reply(answer.json()) if answer.status_code == 200 else _refused(answer)] += 1
    return tally


def addresses(client: httpx.Client, count: int, seed: int = 0) -> verdict.Tally:
    """Addresses that ask for files, other hosts and things that are not there, and posts of what is no JSON."""
    chance, tally = random.Random(seed), verdict.Tally()
    for _ in range(count):
        if chance.random() < 0.6:
            wanted = chance.choice((*SECRETS, inputs.text(chance)))[:300].encode("utf-8", "replace")
            answer = _quietly(client, "GET", chance.choice(PLACES).format(quote(wanted, safe=chance.choice(("", "/")))))
        else:
            content = chance.choice(
                (json.dumps(inputs.value(chance)), "{", "", "\x00", "[" * 5000, '{"data":[', "9" * 5000, "caf\xe9")
            ).encode("latin-1", "replace")
            kind = chance.choice(("application/json", "text/plain", "multipart/form-data; boundary=x", "x"))
            route = chance.choice((f"{API}/{chance.choice(POSTS)}", "/", "/login", "/config"))
            answer = _quietly(client, chance.choice(("POST", "POST", "PUT", "DELETE", "PATCH")), route, content, kind)
        assert answer.status_code < 500, f"{answer.request.method} {answer.request.url} gives {answer.status_code}"
        assert not [piece for piece in GIVEAWAYS if piece in answer.text], f"{answer.request.url} gives away a file"
        tally[f"{answer.status_code // 100}xx"] += 1
    return tally


def _quietly(client: httpx.Client, method: str, path: str, content: bytes | None = None, kind: str = "") -> Any:
    """The answer's head, and its body where it is not an endless stream."""
    with client.stream(method, path, content=content, headers={"content-type": kind} if kind else {}) as answer:
        if "event-stream" not in answer.headers.get("content-type", ""):
            answer.read()
        else:
            answer._content = b""
    return answer


def _post(client: httpx.Client, route: str, body: Any) -> httpx.Response:
    content = json.dumps(body).encode()
    answer = client.post(route, content=content, headers={"content-type": "application/json"})
    assert answer.status_code < 500, f"{route} gives {answer.status_code} for {ascii(body)[:1500]}: {answer.text[:200]}"
    return answer


def _refused(answer: httpx.Response) -> str:
    detail = answer.json()["detail"]
    if isinstance(detail, str):
        verdict.sentence(detail)
    return "refused"


def _called(client: httpx.Client, name: str, answer: httpx.Response) -> str:
    if answer.status_code != 200:
        return _refused(answer)
    reply = client.get(f"{API}/call/{name}/{answer.json()['event_id']}").text
    kind, _, data = reply.strip().split("\n\n")[-1].partition("\ndata: ")
    return _judged(kind == "event: complete", json.loads(data), reply)


def _queued(client: httpx.Client, body: dict[str, Any], answer: httpx.Response) -> str:
    if answer.status_code != 200:
        return _refused(answer)
    reply = client.get(f"{API}/queue/data", params={"session_hash": body["session_hash"]}).text
    messages = [json.loads(line.removeprefix("data: ")) for line in reply.splitlines() if line.startswith("data: ")]
    done = next(message for message in messages if message["msg"] == "process_completed")
    return _judged(done["success"], done["output"], ascii(body))


def _judged(success: bool, output: Any, about: str) -> str:
    if success:
        return "answered"
    assert isinstance(output, dict), f"{output} for {about[:1500]}"
    assert output.get("error"), f"an error without a sentence for {about[:1500]}"
    verdict.sentence(output["error"])
    return "refused"
