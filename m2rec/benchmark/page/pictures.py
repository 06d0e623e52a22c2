"""The README's pictures, made of the real page: two views and a short animation of a rhythm that is broken."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from m2rec.atomic import atomic_file
from m2rec.benchmark.page.browser import LAPTOP, chromium, wait_until_drawn
from m2rec.benchmark.page.host import started_host

if TYPE_CHECKING:
    from PIL.Image import Image
    from playwright.sync_api import Page

PAGE, LESSON, STRIP = "page.png", "lesson.png", "rhythm.webp"
STRIP_WIDTH = 1000
HOLD = 2200  # ms that each picture of the animation stays
SETTLE = 700  # ms for cards to reach their places


def take_pictures(folder: Path, report: Callable[[str], None] = lambda what: None) -> list[Path]:
    """Write the pictures into `folder` and return their paths."""
    report("starting the page")
    with started_host() as host, chromium() as browser:
        size = {"width": LAPTOP[0], "height": LAPTOP[1]}

        def visit(query: str, scheme: str) -> "Page":
            context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{host.url}/{query}")
            wait_until_drawn(page)
            page.wait_for_timeout(SETTLE)
            return page

        report(PAGE)
        page = visit("", "light")
        _write(folder / PAGE, page.screenshot())
        report(STRIP)
        _write(folder / STRIP, _animation(list(_broken_rhythm(page))))
        report(LESSON)
        page = visit("?lesson=gate", "dark")
        for button in ("Shuffle the history", "Show the answer"):
            page.get_by_role("region", name="The gate as a judge").get_by_role("button", name=button).click()
            page.wait_for_timeout(SETTLE)
        _write(folder / LESSON, page.screenshot())
    return [folder / name for name in (PAGE, LESSON, STRIP)]


def _broken_rhythm(page: "Page") -> Iterator[bytes]:
    """A rhythm; its events marked; shuffled; undone; and without the frequency branch's weight."""
    yield page.screenshot()
    page.locator(".spectrum .data summary").click()
    page.get_by_role("button", name="Show what repeats every 7", exact=True).click()
    page.locator(".spectrum .data summary").click()
    page.wait_for_timeout(SETTLE)
    yield page.screenshot()
    for button in ("Shuffle the history", "Undo"):
        page.locator(".tools").get_by_role("button", name=button).click()
        page.wait_for_timeout(SETTLE)
        yield page.screenshot()
    page.get_by_role("slider", name="Frequency weight").fill("0")
    page.wait_for_timeout(SETTLE)
    yield page.screenshot()


def _animation(shots: list[bytes]) -> bytes:
    from PIL import Image

    pictures = [_scaled(Image.open(io.BytesIO(shot)).convert("RGB")) for shot in shots]
    found = io.BytesIO()
    pictures[0].save(
        found, "WEBP", save_all=True, append_images=pictures[1:], duration=HOLD, loop=0, quality=82, method=6
    )
    return found.getvalue()


def _scaled(picture: "Image") -> "Image":
    from PIL import Image

    height = round(picture.height * STRIP_WIDTH / picture.width)
    return picture.resize((STRIP_WIDTH, height), Image.Resampling.LANCZOS)


def _write(path: Path, content: bytes) -> None:
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
