"""Many visitors to a working page, and to servers that do not work."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from m2rec.benchmark.page.crowd import crowd, in_turn, recovery
from m2rec.benchmark.page.host import Host, running_host
from tests.own_loop import run_apart


def test_every_visitor_gets_answers_about_their_own_history(address: str) -> None:
    phase = run_apart(crowd(running_host(address), visitors=6, seconds=3, pace=0.3))
    assert phase.answers >= 6
    assert (phase.busy, phase.errors, phase.wrong_sessions, phase.trouble) == (0, 0, 0, ())
    assert phase.p50_ms is not None
    assert phase.p50_ms <= phase.p95_ms <= phase.longest_ms
    assert phase.memory is not None
    assert phase.memory.most_mib >= phase.memory.first_mib > 0


def test_visitors_in_turn_act_once_each(address: str) -> None:
    phase = run_apart(in_turn(running_host(address), visitors=5, seconds=60))
    assert (phase.answers, phase.errors, phase.wrong_sessions) == (5, 0, 0)


def test_visitors_in_turn_stop_at_the_time_limit(address: str) -> None:
    assert run_apart(in_turn(running_host(address), visitors=5, seconds=-1)).answers == 0


VIEW = {"session": {"state": {"world": "toy", "history": []}}, "ranking": ["a"], "gates": {}}
DOCUMENT = f'<script type="application/json" id="m2-view">{json.dumps(VIEW)}</script>'
HITS = {"hits": [{"item_id": "a"}, {"item_id": "b"}]}
Reply = tuple[int, dict[str, object], dict[str, str]]


@contextmanager
def server(act: Callable[[list[str]], Reply]) -> Iterator[Host]:
    """A page whose call `act` gives the replies that the function `act` makes from the history that was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(200, DOCUMENT, {})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/act":
                self.send(200, HITS, {})
                return
            self.send(*act(asked["action"].get("item_ids", [])))

        def send(self, status: int, reply: str | dict[str, object], headers: dict[str, str]) -> None:
            body = (reply if isinstance(reply, str) else json.dumps(reply)).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield Host(f"http://127.0.0.1:{running.server_port}", None)
        running.shutdown()


def view(history: list[str]) -> dict[str, object]:
    return {**VIEW, "session": {"state": {"world": "toy", "history": history}}}


@pytest.mark.parametrize(
    ("act", "counted"),
    [
        (lambda history: (200, view(history), {}), (3, 0, 0, 0)),
        (lambda history: (200, view(["someone", "else"]), {}), (3, 0, 0, 3)),
        (lambda history: (200, {"error": "busy"}, {"Retry-After": "2"}), (0, 3, 0, 0)),
        (lambda history: (200, {"error": "refused"}, {}), (0, 0, 3, 0)),
        (lambda history: (500, {}, {}), (0, 0, 3, 0)),
    ],
    ids=["answer", "wrong_session", "busy", "refusal", "fault"],
)
def test_each_kind_of_reply_is_counted_as_such(act: Callable[[list[str]], Reply], counted: tuple[int, ...]) -> None:
    with server(act) as host:
        phase = run_apart(in_turn(host, visitors=3, seconds=60))
    assert (phase.answers, phase.busy, phase.errors, phase.wrong_sessions) == counted
    assert phase.memory is None


def test_a_stopped_server_is_an_error() -> None:
    with server(lambda history: (200, view(history), {})) as host:
        pass
    with pytest.raises(httpx.HTTPError):
        run_apart(crowd(host, visitors=1, seconds=1, pace=1))
    assert run_apart(recovery(host, 1)) is None


def test_a_prompt_server_has_recovered(address: str) -> None:
    assert run_apart(recovery(running_host(address), 1)) is not None
