"""The README's pictures: two screenshots of the page, a short animation of a rhythm being broken, and a notebook."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from m2rec.atomic import atomic_file
from m2rec.benchmark.page.browser import LAPTOP, chromium, wait_until_drawn
from m2rec.benchmark.page.host import started_host
from m2rec.paths import checkpoints
from m2rec.recommend.recommender import Recommender
from m2rec.world_names import MARKET

if TYPE_CHECKING:
    from PIL.Image import Image
    from playwright.sync_api import Browser, Page

PAGE, LESSON, STRIP, NOTEBOOK = "page.png", "lesson.png", "rhythm.webp", "notebook.png"
RHYTHM, EVERY, LENGTH = "ground-coffee", 7, 56  # of the notebook's history
NOTEBOOK_WIDTH = 1280
NOTEBOOK_STYLE = """
body { margin: 0; background: #fff; font: 13px system-ui, sans-serif; color: #171c26 }
main { display: flex; gap: 24px; padding: 8px 16px; align-items: start }
td, th { padding: 4px 8px; border-bottom: 1px solid #e4e7ec }
table { border-collapse: collapse }
"""
STRIP_WIDTH = 1000
HOLD = 2200  # ms for each frame of the animation
SETTLE = 700  # ms for cards to reach their places


def take_pictures(folder: Path, report: Callable[[str], None] = lambda what: None) -> list[Path]:
    """Write the pictures into `folder`. → their paths. Raises M2RecError without Chromium."""
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
        page.get_by_role("slider", name="Semantic in your sketch").fill("60")
        for button in ("Shuffle the history", "Show the answer"):
            page.locator(".lesson").get_by_role("button", name=button, exact=True).click()
            page.wait_for_timeout(SETTLE)
        _write(folder / LESSON, page.screenshot())
        report(NOTEBOOK)
        _write(folder / NOTEBOOK, notebook_picture(browser, Recommender.from_pretrained(checkpoints() / MARKET)))
    return [folder / name for name in (PAGE, LESSON, STRIP, NOTEBOOK)]


def notebook_picture(browser: "Browser", world: Recommender) -> bytes:
    """A PNG of an answer as a notebook shows it: its table beside two charts."""
    others = np.random.default_rng(0).choice([item.item_id for item in world.items[:60]], LENGTH)
    history = [RHYTHM if place % EVERY == 0 else others[place - 1] for place in range(1, LENGTH + 1)]
    answer = world.recommend(history[:-1], k=8)
    charts = [answer.figure(name).update_layout(width=560, height=300) for name in ("spectrum", "gate")]
    scripts = [chart.to_html(full_html=False, include_plotlyjs=not place) for place, chart in enumerate(charts)]
    page = browser.new_page(viewport={"width": NOTEBOOK_WIDTH, "height": 640}, device_scale_factor=1.5)
    page.set_content(f"<style>{NOTEBOOK_STYLE}</style><main>{answer._repr_html_()}<div>{''.join(scripts)}</div></main>")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .legend').length === 2")
    picture = page.locator("main").screenshot()
    page.close()
    return picture


def _broken_rhythm(page: "Page") -> Iterator[bytes]:
    """Screenshots of a history: as it is, folded by its rhythm, shuffled, and with the frequency weight at zero."""
    yield page.screenshot()
    opening = page.get_by_role("region", name="To begin with")
    for button in ("Find the rhythm", "Break it", "Switch rhythm off"):
        opening.get_by_role("button", name=button).click()
        page.wait_for_timeout(2 * SETTLE)
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
