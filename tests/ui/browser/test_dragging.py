"""Chips are dragged by mouse and by finger."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.ui.browser.visiting import PATIENCE, PHONE, Browser, Locator, Page, chips, expect, until, visit

Point = tuple[float, float]


def finger(page: Page) -> Callable[..., None]:
    """A finger on the screen: called with touchStart or touchMove and where, or with touchEnd."""
    session = page.context.new_cdp_session(page)

    def event(kind: str, *points: Point) -> None:
        there = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": there})

    return event


def middle(chip: Locator) -> Point:
    box = chip.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture
def touched(browser: Browser, address: str) -> Iterator[Page]:
    """The page on a phone, used by finger, its list of chips at the top."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    visit(page, address)
    page.locator(".chips").evaluate("list => (list.scrollTop = 0)")
    yield page
    context.close()


def test_a_chip_is_dragged_to_another_place(page: Page) -> None:
    before = chips(page)
    page.locator(".chip").nth(0).drag_to(page.locator(".chip").nth(3))
    expect(page.locator(".chip-main").nth(3)).to_have_accessible_name(f"4: {before[0]}")


def test_a_chip_is_dragged_by_a_finger_that_rested_on_it(touched: Page) -> None:
    before, touch = chips(touched), finger(touched)
    (x, y), (to_x, to_y) = (middle(touched.locator(".chip-main").nth(at)) for at in (0, 2))
    touch("touchStart", (x, y))
    touched.locator(".chip.taken").wait_for()
    for part in (0.3, 0.7, 1):
        touch("touchMove", (x + part * (to_x - x), y + part * (to_y - y)))
    expect(touched.locator(".chip.drop")).to_have_attribute("data-at", "2")
    touch("touchEnd")
    expect(touched.locator(".chip-main").nth(2)).to_have_accessible_name(f"3: {before[0]}")
    assert touched.locator(".chip:is(.taken, .drop)").count() == 0


def test_a_finger_that_moves_on_at_once_scrolls_and_moves_no_chip(touched: Page) -> None:
    before, touch = chips(touched), finger(touched)
    x, y = middle(touched.locator(".chip-main").nth(4))
    touch("touchStart", (x, y))
    for up in range(10, 70, 10):
        touch("touchMove", (x, y - up))
    touch("touchEnd")
    until(touched, "document.querySelector('.chips').scrollTop > 0")
    assert touched.locator(".chip:is(.taken, .drop)").count() == 0
    assert chips(touched) == before


def test_a_drag_is_given_up_with_escape(page: Page) -> None:
    before = chips(page)
    page.mouse.move(*middle(page.locator(".chip-main").nth(0)))
    page.mouse.down()
    page.mouse.move(*middle(page.locator(".chip-main").nth(3)), steps=4)
    expect(page.locator(".chip.drop")).to_have_count(1)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    assert chips(page) == before


def test_a_finger_that_scrolls_over_a_slider_changes_no_weight(touched: Page) -> None:
    slider = touched.get_by_role("slider", name=re.compile("Frequency weight"))
    slider.scroll_into_view_if_needed()
    before, touch = slider.input_value(), finger(touched)
    x, y = middle(slider)
    touch("touchStart", (x, y))
    for up in range(10, 120, 10):
        touch("touchMove", (x + up / 10, y - up))
    touch("touchEnd")
    touched.wait_for_timeout(300)
    expect(slider).to_have_value(before)
    expect(touched.get_by_role("button", name="Release to the model")).to_have_count(0)


def test_a_slanted_swipe_over_the_spectrum_scrolls_and_mutes_nothing(touched: Page) -> None:
    plot = touched.locator("#m2-spectrum-plot")
    plot.scroll_into_view_if_needed()
    start, touch = touched.evaluate("scrollY"), finger(touched)
    x, y = middle(plot)
    touch("touchStart", (x, y))
    for up in range(10, 120, 10):
        touch("touchMove", (x + up / 3, y + up))
    touch("touchEnd")
    until(touched, "start => scrollY < start", arg=start)
    expect(touched.get_by_role("button", name=re.compile("^Hear .* again$"))).to_have_count(0)
