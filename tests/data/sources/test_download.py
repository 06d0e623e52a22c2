"""Against a server on the loopback that misbehaves as each test says."""

import hashlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from m2rec.data.sources import download as module
from m2rec.data.sources.download import Archive, archive_path, download, download_data_set
from m2rec.errors import DataError

CONTENT = bytes(range(256)) * 1024  # 256 KiB


@dataclass
class Server:
    """`answers[n]` treats the n-th request; the last one treats all that follow."""

    url: str
    answers: list[Callable]
    ranges: list[str | None] = field(default_factory=list)  # the Range header of every request


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        state = self.server.state
        state.ranges.append(self.headers["Range"])
        self.close_connection = True
        state.answers[min(len(state.ranges), len(state.answers)) - 1](self)

    def log_message(self, *_args):
        pass

    def start_of_range(self) -> int:
        return int(re.match(r"bytes=(\d+)-", self.headers["Range"] or "bytes=0-")[1])

    def head(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def partial(self, length: int | None = None) -> int:
        """Headers of an honest answer; returns where its body starts."""
        start = self.start_of_range()
        if start:
            content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            self.head(206, len(CONTENT) - start, Content_Range=content_range)
        else:
            self.head(200, length or len(CONTENT))
        return start


def honest(handler):
    start = handler.start_of_range()
    if start >= len(CONTENT):
        handler.head(416, 0)
    else:
        handler.partial()
        handler.wfile.write(CONTENT[start:])


def stalling(handler):
    start = handler.partial()
    handler.wfile.write(CONTENT[start : start + 50_000])
    handler.wfile.flush()
    handler.server.over.wait()


def resetting(handler):
    start = handler.partial()
    handler.wfile.write(CONTENT[start : start + 100_000])
    handler.wfile.flush()
    handler.server.received.wait(5)  # or the reset would take back what is still on its way
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def ending_early(handler):
    start = handler.partial()
    handler.wfile.write(CONTENT[start : start + 70_000])


def claiming_less(handler):
    handler.head(200, 1000)
    handler.wfile.write(CONTENT)


def claiming_more(handler):
    handler.head(200, len(CONTENT) + 5000)
    handler.wfile.write(CONTENT)


def without_length(handler):
    handler.head(200, None)
    handler.wfile.write(CONTENT)


def ignoring_range(handler):
    handler.head(200, len(CONTENT))
    handler.wfile.write(CONTENT)


def wrong_range(handler):
    handler.head(206, len(CONTENT), Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")
    handler.wfile.write(CONTENT)


def wrong_bytes(handler):
    handler.head(200, len(CONTENT))
    handler.wfile.write(CONTENT[::-1])


def endless(handler):
    handler.head(200, None)
    try:
        while not handler.server.over.is_set():
            handler.wfile.write(CONTENT)
    except OSError:
        pass


def status(code: int) -> Callable:
    return lambda handler: handler.head(code, 0)


@pytest.fixture
def serve(monkeypatch) -> Iterator[Callable[..., tuple[Archive, Server]]]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.over, http.received = threading.Event(), threading.Event()

    def start(*answers):
        http.state = Server(f"http://127.0.0.1:{http.server_port}/set.zip", list(answers))
        archive = Archive("set.zip", http.state.url, hashlib.md5(CONTENT).hexdigest(), 1 << 20, "Be kind.")
        return archive, http.state

    receive = module._receive

    def noticing(response):
        block = receive(response)
        noticing.total += len(block)
        if noticing.total >= 100_000:
            http.received.set()
        return block

    noticing.total = 0
    monkeypatch.setattr(module, "_receive", noticing)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield start
    http.over.set()
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    return tmp_path


def fetch(archive: Archive):
    """Only an answer that stalls waits for the timeout; on a busy machine an honest one can take a second too."""
    return download(archive, timeout=3, pause=0)


def test_an_archive_arrives_and_is_not_fetched_again(serve):
    archive, server = serve(honest)
    path = fetch(archive)
    assert path.read_bytes() == CONTENT
    assert fetch(archive) == path
    assert server.ranges == [None]
    assert [file.name for file in path.parent.iterdir()] == ["set.zip"]


@pytest.mark.parametrize(
    ("trouble", "asked_next"),
    [(stalling, "bytes=50000-"), (resetting, "bytes=100000-"), (ending_early, "bytes=70000-")],
)
def test_a_broken_connection_is_taken_up_where_it_broke(serve, trouble, asked_next):
    archive, server = serve(trouble, honest)
    assert fetch(archive).read_bytes() == CONTENT
    assert server.ranges == [None, asked_next]


@pytest.mark.parametrize("repeat", [ignoring_range, wrong_range])
def test_a_server_that_begins_again_is_not_appended(serve, repeat):
    archive, server = serve(ending_early, repeat)
    assert fetch(archive).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=70000-"]


def test_a_length_that_is_too_short_does_not_cut_the_file(serve):
    archive, _ = serve(claiming_less, honest)
    assert fetch(archive).read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [claiming_more, without_length])
def test_the_sum_decides_and_not_the_length(serve, answer):
    archive, server = serve(answer)
    assert fetch(archive).read_bytes() == CONTENT
    assert len(server.ranges) == 1


def test_wrong_bytes_are_thrown_away_and_fetched_once_more(serve):
    archive, server = serve(wrong_bytes, honest)
    assert fetch(archive).read_bytes() == CONTENT
    assert server.ranges == [None, None]


def test_wrong_bytes_twice_are_an_error_and_leave_nothing(serve):
    archive, server = serve(wrong_bytes)
    with pytest.raises(DataError, match=r"its MD5 is [0-9a-f]{32}, expected [0-9a-f]{32}.*put it at .*set\.zip"):
        fetch(archive)
    assert len(server.ranges) == 2
    assert not archive_path(archive).exists()


def test_what_arrived_serves_the_next_run(serve, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    archive, server = serve(ending_early, honest)
    with pytest.raises(DataError, match="the server ended the file early"):
        fetch(archive)
    assert not archive_path(archive).exists()
    assert fetch(archive).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=70000-"]


def test_an_interrupt_leaves_no_file_under_the_final_name(serve, monkeypatch):
    archive, _ = serve(honest)

    def interrupted(_response):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(archive)
    assert not archive_path(archive).exists()


def test_a_damaged_file_under_the_final_name_is_fetched_again(serve):
    archive, _ = serve(honest)
    archive_path(archive).parent.mkdir(parents=True)
    archive_path(archive).write_bytes(CONTENT[:-1])
    assert fetch(archive).read_bytes() == CONTENT


def test_a_left_over_that_is_longer_than_the_file_is_thrown_away(serve):
    archive, server = serve(honest)
    archive_path(archive).parent.mkdir(parents=True)
    archive_path(archive).with_name("set.zip.part").write_bytes(CONTENT + b"more")
    assert fetch(archive).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) + 4}-", None]


def test_a_longer_left_over_does_not_show_through_a_file_sent_anew(serve):
    archive, server = serve(ignoring_range)
    archive_path(archive).parent.mkdir(parents=True)
    archive_path(archive).with_name("set.zip.part").write_bytes(b"old" * len(CONTENT))
    assert fetch(archive).read_bytes() == CONTENT
    assert len(server.ranges) == 1


@pytest.mark.parametrize(
    ("answer", "requests", "reason"),
    [(status(404), 1, "404 Not Found"), (status(503), 5, "503 Service Unavailable"), (endless, 1, "sends more than")],
)
def test_a_server_that_cannot_help_is_an_error_that_says_what_else_to_do(serve, answer, requests, reason):
    archive, server = serve(answer)
    with pytest.raises(DataError, match=rf"could not be downloaded from http://.*{reason}.*fetch it in a browser"):
        fetch(archive)
    assert len(server.ranges) == requests
    assert not archive_path(archive).exists()


def test_no_server_is_an_error(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(Archive("set.zip", f"http://127.0.0.1:{port}/", "0", 1, ""))


def test_a_full_disk_is_not_blamed_on_the_network(serve, monkeypatch):
    archive, _ = serve(honest)

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(DataError, match=r"could not be saved to .*No space left on device.*set M2REC_CACHE"):
        fetch(archive)


def test_the_licence_is_said_before_anything_is_fetched(serve, monkeypatch, capsys):
    archive, _ = serve(honest)
    monkeypatch.setitem(module.ARCHIVES, "ml-1m", archive)
    assert download_data_set("ml-1m").read_bytes() == CONTENT
    assert "Be kind." in capsys.readouterr().err


def test_an_unknown_name_is_an_error():
    with pytest.raises(DataError, match="no download named 'ml-2m'; known: ml-1m, online-retail"):
        download_data_set("ml-2m")
