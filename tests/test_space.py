"""The repository runs as a Space without changes: front matter, sizes, and a start under the same conditions."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from gradio_client import Client

from m2rec.benchmark.page.visitor import load_page
from tests.own_loop import run_apart
from tests.places import ROOT

MB = 10**6
PATIENCE = 300  # seconds; a busy machine is slow, and speed is not what is tested here
NOBODY = 65534
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}

# Python runs this at its start: every look-up of a name and every connection to another machine is noted in a file.
WATCH = """
import os, sys

def noted(event, arguments):
    if event not in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect"):
        return
    host = arguments[0] if event != "socket.connect" else arguments[1]
    host = host[0] if isinstance(host, tuple) else host
    if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", b"localhost"):
        with open(os.environ["NOTED"], "a") as file:
            print(event, host, file=file)

sys.addaudithook(noted)
"""
SPACES = """
def GPU(function=None, **options):
    return function if function else lambda given: given

def gradio_auto_wrap(function):
    return function
"""
NO_SPACES = "raise ImportError('spaces is not installed')"


def tracked() -> list[Path]:
    """The tracked files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_the_front_matter_is_complete_and_correct() -> None:
    front = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    pinned = re.search(r"^gradio==(\S+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    assert pinned
    assert front["sdk"] == "gradio"
    assert front["sdk_version"] == pinned[1]
    assert front["python_version"] == "3.12"
    assert (ROOT / front["app_file"]).is_file()
    assert {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert len(front["short_description"]) <= 60
    assert front["title"]
    assert front["emoji"]
    assert front["license"] == "mit"
    assert "MIT" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_no_file_needs_large_file_storage_and_the_repository_is_small() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}
    assert [name for name, size in sizes.items() if size > 10 * MB] == []
    assert sum(sizes.values()) < 100 * MB


@dataclass(frozen=True)
class Space:
    """A running copy: its address, its process, and the file with its requests to other machines."""

    url: str
    process: psutil.Process
    noted: Path

    def asked(self) -> str:
        return self.noted.read_text()


@pytest.fixture(scope="module", params=[SPACES, NO_SPACES], ids=["spaces", "no spaces"])
def space(request: pytest.FixtureRequest) -> Iterator[Space]:
    """A copy of the tracked files, read-only and without a home folder, started as Spaces do."""
    folder = Path(tempfile.mkdtemp(prefix="m2rec-space-"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    home = folder / "app"
    for path in tracked():
        (home / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, home / path.relative_to(ROOT))
    for path in (*home.rglob("*"), home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    extra, scratch, noted = folder / "extra", folder / "tmp", folder / "noted"
    extra.mkdir()
    (extra / "sitecustomize.py").write_text(WATCH)
    (extra / "spaces.py").write_text(request.param)
    scratch.mkdir()
    noted.touch()
    for path in (scratch, noted):
        path.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(extra),
        "PYTHONDONTWRITEBYTECODE": "1",
        "NOTED": str(noted),
        "TMPDIR": str(scratch),
        "SYSTEM": "spaces",
        "SPACE_ID": "somebody/m2rec",
        "SPACE_HOST": "somebody-m2rec.hf.space",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
    }
    said = (folder / "said").open("w+")
    command = [*_powerless(), sys.executable, "app.py"]
    running = subprocess.Popen(command, cwd=home, env=environment, stdout=said, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + PATIENCE
        while not _answers(url):
            if running.poll() is not None or time.monotonic() > until:
                pytest.fail(f"It does not start:\n{(folder / 'said').read_text()}")
            time.sleep(0.2)
        yield Space(url, psutil.Process(running.pid), noted)
    finally:
        running.terminate()
        running.wait(30)
        said.close()
        for path in (home, *home.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
        shutil.rmtree(folder)


def _powerless() -> list[str]:
    """For root: what makes a read-only folder read-only. Another user if that one can reach Python, else no powers."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if subprocess.run([*other, sys.executable, "-c", "import gradio"], capture_output=True).returncode == 0:
        return other
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/config", timeout=10).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def answers(space: Space) -> list[tuple[list[str], dict[str, Any]]]:
    """Requests of programs and their answers, made once: two histories, the second with invented items."""
    client = Client(space.url, verbose=False)
    worlds = client.predict(api_name="/worlds")
    assert [world["name"] for world in worlds if world["error"]] == []
    found = client.predict(worlds[0]["name"], "", api_name="/search")
    histories = [[item["item_id"] for item in found[:5]] + invented for invented in ([], ["~a lamp that hums"])]
    return [(history, client.predict(worlds[0]["name"], history, api_name="/recommend")) for history in histories]


def test_it_answers_programs_and_the_page(space: Space, answers: list[tuple[list[str], dict[str, Any]]]) -> None:
    for history, answer in answers:
        assert answer["history"] == history
        assert len(answer["items"]) == 10
    assert "m2rec-static/m2rec.css" in httpx.get(space.url).text


def test_the_page_acts(space: Space) -> None:
    async def shuffle() -> httpx.Response:
        async with httpx.AsyncClient(base_url=space.url, timeout=PATIENCE) as client:
            page = await load_page(client)
            payload = {"session": page.first["session"], "action": {"type": "shuffle"}, "before": page.first["ranking"]}
            return await client.post("/act", json=payload)

    assert len(run_apart(shuffle()).json()["ranking"]) == 10


@pytest.mark.usefixtures("answers")
def test_it_has_contacted_no_other_machine(space: Space) -> None:
    assert space.asked() == ""


def test_the_check_for_contacts_works(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    noted = tmp_path / "noted"
    code = "import socket; s = socket.socket(); s.settimeout(0.01); s.connect_ex(('192.0.2.1', 9))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NOTED": str(noted)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert noted.read_text() == "socket.connect 192.0.2.1\n"


def test_the_page_loads_nothing_from_other_hosts_nor_from_gradio(space: Space) -> None:
    """On a Space, Gradio's front end would add the hub's badge, which loads fonts from other hosts."""
    loaded = re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="([^"]*)"', httpx.get(space.url).text)
    assert loaded
    assert [address for address in loaded if not address.startswith("m2rec-static/")] == []


@pytest.mark.usefixtures("answers")
def test_it_fits_a_small_machine(space: Space) -> None:
    held = sum(one.memory_info().rss for one in (space.process, *space.process.children(recursive=True)))
    assert held < 1000 * MB
