"""The real page in a real browser: `python app.py` on a free port, and Chromium without a screen."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

from m2rec.errors import M2RecError
from m2rec.paths import how_to_install, in_checkout

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 120.0  # seconds for the page to answer
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
LAPTOP = (1366, 768)


@dataclass(frozen=True)
class Served:
    """A running page and how long its start took, in seconds."""

    address: str
    ready_s: float


@contextmanager
def served() -> Iterator[Served]:
    """`python app.py` as a visitor starts it, ended afterwards. Raises M2RecError when it does not answer."""
    app = in_checkout("app.py")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, app], cwd=app.parent, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not _answers(address):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise M2RecError("The page did not start; run python app.py to see why.")
            time.sleep(0.02)
        yield Served(address, time.perf_counter() - began)
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser. Raises M2RecError that says what to install."""
    needed = f"This needs Chromium and Playwright: install chromium, then {how_to_install('dev')}."
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise M2RecError(needed) from error
    if path is None:
        raise M2RecError(needed)
    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=path, args=QUIET.split())
        try:
            yield browser
        finally:
            browser.close()


def wait_until_drawn(page: "Page") -> None:
    """Until the page can be used and its charts are there."""
    page.locator(".m2[data-ready]").wait_for()
    page.locator("#m2-spectrum-plot .main-svg").first.wait_for()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False
