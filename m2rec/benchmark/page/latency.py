"""Latency of the page in headless Chromium: server start, first paint, clicks, typing, dragging; and the page's size.

- The first useful paint shows the history, its summary, the cards and the gate's weights; charts follow.
- A click ends when the browser has painted the answer in all panels and charts; typing ends when hits are listed.
- Frames are counted by `requestAnimationFrame` while the mouse drags a weight of the gate to and fro.
- The page's size is what the first visit transfers, without the chart library.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from m2rec.benchmark.page.browser import LAPTOP, chromium, wait_until_drawn
from m2rec.benchmark.page.host import started_host
from m2rec.errors import M2RecError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROUNDS = 5
WORDS = ("coff", "milk", "bread", "choc", "tea")
CHART_LIBRARY = "plotly"
LONGEST_CLICK = 30  # seconds
DRAGGED = re.compile("^Frequency weight")
DRAG_SECONDS = 3.0
DRAG_STEPS = 60  # moves of the mouse from one end of the slider to the other
COUNT_FRAMES = """
() => {
  window.m2Frames = [];
  const look = (now) => {
    window.m2Frames.push(now);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""

# m2:drawn is sent when the charts are drawn; two frames later the browser has painted everything
WATCH = """
() => {
  const root = document.querySelector(".m2");
  window.m2Times = [];
  window.m2Began = 0;
  document.addEventListener("pointerdown", () => (window.m2Began = performance.now()), true);
  document.addEventListener("change", () => (window.m2Began = performance.now()), true);
  root.addEventListener("m2:drawn", () => requestAnimationFrame(() => requestAnimationFrame(() => {
    if (window.m2Began) window.m2Times.push(performance.now() - window.m2Began);
    window.m2Began = 0;
  })));
}
"""
TYPED = """
(text) => new Promise((resolve) => {
  const input = document.querySelector("#m2-search");
  const list = document.querySelector("#m2-hits");
  input.focus();
  input.value = text;
  list.replaceChildren();
  const began = performance.now();
  const look = new MutationObserver(() => {
    if (list.hidden || !list.children.length) return;
    look.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  });
  look.observe(list, { childList: true, attributes: true });
  input.dispatchEvent(new Event("input", { bubbles: true }));
})
"""
# one frame after all these are visible, they have been painted
SEEN = """
(() => {
  const useful = [".chip", ".reading p", ".cards .card", ".weight .value"];
  const shown = (what) => document.querySelector(what)?.checkVisibility({ visibilityProperty: true });
  const look = () => requestAnimationFrame(useful.every(shown) ? () => (window.m2Useful = performance.now()) : look);
  look();
})();
"""
PAINTED = """
() => Math.max(window.m2Useful, performance.getEntriesByName("first-contentful-paint")[0].startTime)
"""


@dataclass(frozen=True)
class LatencyResult:
    """One measured time, rate or size, and its goal."""

    what: str
    value: float
    unit: str
    goal: float
    at_least: bool = False  # whether the value should be at least the goal, not at most

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def measure_page(rounds: int = ROUNDS, report: Callable[[str], None] = lambda what: None) -> list[LatencyResult]:
    """Start the page, open it and use each control `rounds` times. `report` is called with the name of each step.

    Raises M2RecError when there is no Chromium, or the page does not answer.
    """
    report("starting the page")
    with started_host() as host, chromium() as browser:
        assert host.start_s is not None
        report("first visit")
        context = browser.new_context(viewport={"width": LAPTOP[0], "height": LAPTOP[1]}, reduced_motion="reduce")
        page = context.new_page()
        page.add_init_script(SEEN)
        sizes: dict[str, float] = {}
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        urls: dict[str, str] = {}
        session.on(
            "Network.responseReceived", lambda event: urls.update({event["requestId"]: event["response"]["url"]})
        )
        session.on(
            "Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]})
        )
        page.goto(host.url, wait_until="commit")
        wait_until_drawn(page)
        complete = float(page.evaluate("performance.now()"))
        painted = float(page.evaluate(PAINTED))
        page.wait_for_load_state("networkidle")
        weight = sum(size for one, size in sizes.items() if CHART_LIBRARY not in urls.get(one, "")) / 1e6
        report("clicking")
        page.evaluate(WATCH)
        clicks = _clicks(page, rounds)
        report("typing")
        typed = [float(page.evaluate(TYPED, word)) for _ in range(rounds) for word in WORDS]
        report("dragging the gate")
        frames = _frames(browser, host.url)
    return [
        LatencyResult("server ready after python app.py", host.start_s, "s", 6),
        LatencyResult("first useful paint after that", painted / 1000, "s", 1),
        LatencyResult("charts drawn and controls answering after that", complete / 1000, "s", 2),
        LatencyResult("click to all panels updated, median", float(np.median(clicks)), "ms", 100),
        LatencyResult("click to all panels updated, 95 % below", float(np.quantile(clicks, 0.95)), "ms", 500),
        LatencyResult("typing to results, median", float(np.median(typed)), "ms", 200),
        LatencyResult("frames while the gate is dragged", frames, "per second", 50, at_least=True),
        LatencyResult("page weight without the chart library", weight, "MB", 1),
    ]


def _clicks(page: "Page", rounds: int) -> list[float]:
    presets = [
        value
        for value in page.locator("[data-choose=preset] option").evaluate_all("all => all.map(one => one.value)")
        if value
    ]
    add, undo = page.locator(".cards .add").first, page.get_by_role("button", name="Undo")
    choose, shuffle = page.get_by_label("Presets"), page.get_by_role("button", name="Shuffle the history")
    for turn in range(rounds):
        preset = presets[turn % len(presets)]
        _once(page, lambda preset=preset: choose.select_option(preset))  # type: ignore[misc]
        for act in (add.click, shuffle.click, undo.click):
            _once(page, act)
    return [float(taken) for taken in page.evaluate("window.m2Times")]


def _once(page: "Page", act: Callable[[], object]) -> None:
    before = page.evaluate("window.m2Times.length")
    act()
    end = time.monotonic() + LONGEST_CLICK
    while page.evaluate("window.m2Times.length") <= before:  # wait_for_function is blocked by the page's CSP
        if time.monotonic() > end:
            raise M2RecError(f"The page did not answer a click within {LONGEST_CLICK} s.")
        time.sleep(0.02)


def _frames(browser: "Browser", url: str) -> float:
    """Frames per second while the frequency weight is dragged to and fro, with animations."""
    page = browser.new_page(viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
    page.goto(url)
    wait_until_drawn(page)
    box = page.get_by_role("slider", name=DRAGGED).bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    places = [box["x"] + box["width"] * share for share in (0.95, 0.05)]
    page.mouse.move(places[0], middle)
    page.mouse.down()
    page.evaluate(COUNT_FRAMES)
    end = time.monotonic() + DRAG_SECONDS
    while time.monotonic() < end:
        places.reverse()
        page.mouse.move(places[0], middle, steps=DRAG_STEPS)
    times = [float(at) for at in page.evaluate("window.m2Frames.splice(0)")]
    page.mouse.up()
    page.close()
    return 1000 * (len(times) - 1) / (times[-1] - times[0])
