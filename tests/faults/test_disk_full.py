"""A disk that fills up while something is saved: the old file stays, the error says so, and with space it goes on."""

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from m2rec.data.sources.download import Archive, archive_path, download
from m2rec.errors import DataError, M2RecError
from tests.faults.saves import KINDS

SMALL = 4 << 20  # bytes of the disk


class Disk:
    """A small disk, and a way to fill it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filler = folder / "filler"

    def fill(self, spare: int = 0) -> None:
        """Leave no more than `spare` bytes free."""
        with self.filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
            file.truncate(max(0, file.tell() - spare))

    def empty(self) -> None:
        """Give the space back."""
        self.filler.unlink()


class Limited(Disk):
    """The same by a limit on the size of a file, where no disk may be mounted: small files would fit otherwise."""

    def fill(self, spare: int = 0) -> None:
        """Let no file grow beyond `spare` bytes, nor beyond one page."""
        import resource

        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (min(spare, 4096), self._before[1]))

    def empty(self) -> None:
        """Lift the limit."""
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A tmpfs of a few megabytes where it can be mounted, else a limit on the size of files."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
    can_mount = bool(shutil.which("mount")) and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(folder) if can_mount else Limited(folder)
    finally:
        if can_mount:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def names(folder: Path) -> set[str]:
    """What lies in a folder, however deep, but for the filler."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.name != "filler"}


@pytest.mark.parametrize("spare", [0, 4096, 20_000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_save_that_finds_no_space_leaves_what_was_there(disk: Disk, kind: str, spare: int) -> None:
    saved, place = KINDS[kind](), disk.folder / "place"
    saved.save(place, 0)
    before = names(disk.folder)
    disk.fill(spare)
    try:
        if kind == "cache":  # losing it costs time, never an answer
            saved.save(place, 1)
        else:
            with pytest.raises(M2RecError):
                saved.save(place, 1)
    finally:
        disk.empty()
    assert saved.read(place) == 0
    assert {name for name in names(disk.folder) if "journal" not in name} == before
    saved.save(place, 1)
    assert saved.read(place) == 1


class Server(BaseHTTPRequestHandler):
    """Sends what it has, from the beginning."""

    content = os.urandom(600_000)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


def test_a_download_that_finds_no_space_says_so_and_goes_on_when_there_is_some(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(disk.folder))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    md5 = hashlib.md5(Server.content).hexdigest()
    archive = Archive("set.zip", f"http://127.0.0.1:{server.server_port}/set.zip", md5, 1 << 20, "")
    try:
        disk.fill(300_000)
        with pytest.raises(DataError, match=r"set\.zip could not be saved to .*free some space or set M2REC_CACHE"):
            download(archive, pause=0)
        assert not archive_path(archive).exists()
        disk.empty()
        assert download(archive, pause=0).read_bytes() == Server.content
    finally:
        server.shutdown()
        server.server_close()
