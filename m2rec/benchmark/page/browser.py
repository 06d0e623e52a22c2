"""Headless Chromium through Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from m2rec.errors import M2RecError
from m2rec.paths import how_to_install

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
LAPTOP = (1366, 768)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A running browser. Raises M2RecError when Chromium or Playwright is not installed."""
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
    """Wait until the page can be used and its charts are drawn."""
    page.locator(".m2[data-ready]").wait_for()
    page.locator("#m2-spectrum-plot .main-svg").first.wait_for()
