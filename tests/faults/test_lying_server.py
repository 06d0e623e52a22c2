"""A server whose very answers are malformed: the archive arrives, or one sentence says why it cannot."""

import hashlib
import socket
import threading
from collections.abc import Iterator

import pytest

from m2rec.data.sources.download import Archive, archive_path, download
from m2rec.errors import DataError
from tests.fuzz.verdict import sentence

CONTENT = bytes(range(256)) * 64
LENGTH = len(CONTENT)
HONEST = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (LENGTH, CONTENT)


def answer(*headers: bytes, status: bytes = b"200 OK", body: bytes = CONTENT) -> bytes:
    """An answer with these headers and no others."""
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"", body])


LIES = {
    "nothing at all": b"",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00",
    "half a status line": b"HTTP/1.1 2",
    "a status that is none": answer(status=b"wonderful"),
    "a negative status": answer(status=b"-200 OK"),
    "an unheard-of status": answer(status=b"999 What"),
    "a length in letters": answer(b"Content-Length: many"),
    "a length in superscript": answer(b"Content-Length: \xb2"),
    "a length of 5,000 digits": answer(b"Content-Length: " + b"9" * 5000),
    "a negative length": answer(b"Content-Length: -5"),
    "two lengths": answer(b"Content-Length: 5", b"Content-Length: %d" % LENGTH),
    "a huge length": answer(b"Content-Length: 999999999999999999"),
    "a line without end": answer(b"X: " + b"y" * 200_000),
    "headers without end": answer(*(b"X-%d: y" % number for number in range(500))),
    "a header that is none": answer(b"\x00\xff: \r\x0b", b"Content-Length: %d" % LENGTH),
    "chunks that are none": answer(b"Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n"),
    "a chunk cut short": answer(b"Transfer-Encoding: chunked", body=b"ffff\r\nabc"),
    "a chunk of 5,000 digits": answer(b"Transfer-Encoding: chunked", body=b"f" * 5000 + b"\r\nabc"),
    "packed and not asked for": answer(b"Content-Encoding: gzip", b"Content-Length: %d" % LENGTH),
    "a part nobody asked for": answer(b"Content-Range: bytes 5-9/10", status=b"206 Partial Content"),
    "a part at 5,000 digits": answer(b"Content-Range: bytes " + b"9" * 5000 + b"-", status=b"206 Partial Content"),
    "a way to itself": answer(b"Location: /set.zip", b"Content-Length: 0", status=b"302 Found", body=b""),
    "a way to a file": answer(b"Location: file:///etc/passwd", status=b"302 Found", body=b""),
    "a way to no address": answer(b"Location: http://[", status=b"302 Found", body=b""),
    "a way to no host": answer(b"Location: http://a..b/", status=b"302 Found", body=b""),
    "a way with a blank": answer(b"Location: http://a b/\x01", status=b"302 Found", body=b""),
    "a way to a port that is none": answer(b"Location: http://127.0.0.1:999999/", status=b"302 Found", body=b""),
    "a password wanted": answer(b"WWW-Authenticate: Basic", status=b"401 Unauthorized", body=b""),
    "nothing beyond": answer(status=b"416 Range Not Satisfiable", body=b""),
}


class Liar:
    """Answers each connection with the next of its answers; the last one answers all that follow."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/set.zip"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    connection.recv(65_536)
                    connection.sendall(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65_536)
                except OSError:
                    pass


@pytest.fixture
def liar(tmp_path, monkeypatch) -> Iterator[Liar]:
    """A server, and an empty cache."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,a..b,a")
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    server = Liar()
    yield server
    server.socket.close()


def archive(liar: Liar) -> Archive:
    """The file that the server should send."""
    return Archive("set.zip", liar.url, hashlib.md5(CONTENT).hexdigest(), 1 << 20, "")


@pytest.mark.parametrize("lie", LIES)
def test_a_malformed_answer_is_survived_when_a_valid_one_follows(liar: Liar, lie: str) -> None:
    liar.answers = [LIES[lie], HONEST]
    try:
        assert download(archive(liar), timeout=1, pause=0).read_bytes() == CONTENT
    except DataError as refusal:  # an answer that asking again would not change
        message = str(refusal)
        sentence(message)
        assert not archive_path(archive(liar)).exists()
        assert download(archive(liar), timeout=1, pause=0).read_bytes() == CONTENT


@pytest.mark.parametrize("lie", LIES)
def test_only_malformed_answers_are_an_error_and_leave_no_file_under_the_final_name(liar: Liar, lie: str) -> None:
    liar.answers = [LIES[lie]]
    try:
        assert download(archive(liar), timeout=1, pause=0).read_bytes() == CONTENT  # the bytes are right all the same
    except DataError as refusal:
        message = str(refusal)
        sentence(message)
        assert "could not be downloaded" in message
        assert not archive_path(archive(liar)).exists()
