"""How browser tests use the page: sizes, waiting, what is on the screen, and Playwright's types.

Whatever imports this is skipped where there is no Playwright.
"""

import time

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="needs playwright: see requirements-dev.txt").expect
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route  # noqa: E402, F401

LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 740}
PATIENCE = 60_000  # ms; a busy machine is slow, and speed is not what is tested here
START = 41  # interactions of the history it opens with
READY = ".m2[data-ready]"
CHART = "#m2-spectrum-plot .main-svg"
expect.set_options(timeout=PATIENCE)


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(READY).wait_for()
    page.locator(CHART).first.wait_for()


def until(page: Page, expression: str, arg: object = None) -> None:
    """Waits for what JavaScript says; Playwright's own way would have the page evaluate text, which it forbids."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, f"it never came about that {expression}"
        page.wait_for_timeout(20)


def chips(page: Page) -> list[str]:
    return page.locator(".chip-main").evaluate_all("all => all.map(one => one.lastChild.textContent)")


def count(page: Page, interactions: int) -> None:
    expect(page.locator(".chip")).to_have_count(interactions)
