"""kill -9 at any moment: what was complete is still there, and the next run goes on from it."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from safetensors import safe_open

from m2rec.data.sources.download import Archive, archive_path, download
from tests.commands.conftest import SETTINGS, write_tables
from tests.faults.saves import KINDS
from tests.places import ROOT

KILLS = int(os.environ.get("M2REC_KILLS", "10"))  # of each kind of save

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs kill -9, which Windows has not"),
]


def _environment(**more: str) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | more


def test_a_kill_amid_any_save_leaves_the_old_or_the_new_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.killing", str(tmp_path), str(KILLS)]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    survived = json.loads(done.stdout)
    assert survived.keys() == KINDS.keys()
    assert all(kind["kills"] == KILLS for kind in survived.values())
    assert sum(kind["amid a save"] for kind in survived.values()) > KILLS  # or the kills would prove nothing


PROGRAM = """
import sys
from tests.commands.conftest import LetterEncoder
from m2rec.data import text
text.load_minilm = LetterEncoder
from m2rec.commands.app import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_world_whose_preparing_and_training_are_killed_is_there_when_the_commands_are_given_again(
    tmp_path: Path,
) -> None:
    write_tables(tmp_path)
    (tmp_path / "shop.toml").write_text(SETTINGS.replace("epochs = 2", "epochs = 5\npatience = 5"))
    cache = tmp_path / "cache"
    state = cache / "runs" / "shop-0.safetensors"

    def start(*arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        environment = _environment(M2REC_CACHE=str(cache))
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)

    def killed_at(sign: Callable[[], bool], *arguments: str) -> None:
        process = start(*arguments)
        while not sign() and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()

    prepare = ("prepare", str(tmp_path / "shop.toml"))
    train = ("train", str(tmp_path / "shop.toml"), "--out", str(tmp_path / "checkpoint"), "--cpu")
    killed_at(lambda: any((cache / "prepared").glob(".shop.saving-*")), *prepare)
    assert start(*prepare).wait() == 0
    assert [path.name for path in (cache / "prepared").iterdir() if not path.name.startswith(".")] == ["shop"]
    killed_at(state.exists, *train)
    with safe_open(state, framework="pt") as file:
        reached = json.loads(file.metadata()["m2rec"])["epochs"]
    assert reached
    assert start(*train).wait() == 0
    config = json.loads((tmp_path / "checkpoint" / "config.json").read_text())
    assert config["training"]["epochs"] == 5
    with safe_open(state, framework="pt") as file:
        epochs = json.loads(file.metadata()["m2rec"])["epochs"]
    assert epochs[: len(reached)] == reached  # seconds included: they were not run again


CONTENT = bytes(range(256)) * 4096  # 1 MiB
DOWNLOAD = """
import sys
from m2rec.data.sources.download import Archive, download
download(Archive("set.zip", sys.argv[1], sys.argv[2], 1 << 22, ""), pause=0)
"""


class SlowServer(BaseHTTPRequestHandler):
    """Sends 64 KiB every few milliseconds, from where it was asked to begin."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        start = int(re.match(r"bytes=(\d+)-", self.headers["Range"] or "bytes=0-")[1])
        self.server.starts.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        try:
            for place in range(start, len(CONTENT), 1 << 16):
                self.wfile.write(CONTENT[place : place + (1 << 16)])
                time.sleep(self.server.pause)
        except OSError:
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


def test_a_download_that_is_killed_again_and_again_arrives_whole_and_asks_only_for_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    server.daemon_threads, server.starts, server.pause = True, [], 0.05
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url, md5 = f"http://127.0.0.1:{server.server_port}/set.zip", hashlib.md5(CONTENT).hexdigest()
    archive = Archive("set.zip", url, md5, 1 << 22, "")
    part = archive_path(archive).with_name("set.zip.part")
    try:
        for kills in range(1, 4):
            process = subprocess.Popen(
                [sys.executable, "-c", DOWNLOAD, url, md5], cwd=ROOT, env=_environment(), stderr=subprocess.PIPE
            )
            while not (part.exists() and part.stat().st_size > kills * 200_000) and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert not archive_path(archive).exists()  # nothing half under the final name
        server.pause = 0
        assert download(archive).read_bytes() == CONTENT
    finally:
        server.shutdown()
        server.server_close()
    assert server.starts[0] == 0
    assert sorted(set(server.starts)) == server.starts  # every run began where the last one was killed
    assert [path.name for path in archive_path(archive).parent.iterdir()] == ["set.zip"]
