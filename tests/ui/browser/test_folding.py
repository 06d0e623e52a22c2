"""The history in rows of n, by slider, by keyboard and by the spectrum's marker."""

import re

import pytest

from m2rec.ui.session.link import to_link
from m2rec.ui.session.state import State
from tests.ui.browser.visiting import PHONE, START, Locator, Page, count, expect, until, visit

LET_MOVE = "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', { bubbles: true })); }"


def fold(page: Page) -> Locator:
    page.get_by_role("button", name=re.compile("^Fold by 7")).first.click()
    slider = page.get_by_role("slider", name="Fold the history into rows of")
    expect(slider).to_have_value("7")
    return slider


def ringed(page: Page) -> list[int]:
    return page.locator(".chip.ring").evaluate_all("all => all.map(one => Number(one.dataset.at))")


def items(page: Page) -> list[str]:
    return page.locator(".chip").evaluate_all("all => all.map(one => one.dataset.item)")


def columns(page: Page) -> list[int]:
    lefts = page.locator(".chip").evaluate_all("all => all.map(one => Math.round(one.getBoundingClientRect().left))")
    order = sorted(set(lefts))
    return [order.index(left) for left in lefts]


@pytest.mark.parametrize("size", [None, PHONE], ids=["laptop", "phone"])
def test_a_weekly_item_stands_in_one_column_of_rows_of_seven_and_is_ringed(page: Page, size: dict | None) -> None:
    if size:
        page.set_viewport_size(size)  # type: ignore[arg-type]
    fold(page)
    assert columns(page) == [at % 7 for at in range(START)]
    weekly = [at for at in range(START) if items(page)[at] == items(page)[6]]
    assert weekly == ringed(page) == list(range(6, START, 7))
    page.get_by_role("button", name="Unfold").click()
    expect(page.locator(".chip.ring")).to_have_count(0)
    expect(page.locator("#m2-marker")).to_be_hidden()


def test_while_the_slider_moves_the_page_says_what_the_server_says_once_it_is_let_go(page: Page) -> None:
    slider = fold(page)
    for row in (2, 14, 20, 28):
        slider.evaluate(
            "(one, value) => { one.value = value; one.dispatchEvent(new Event('input', {bubbles: true})) }", row
        )
        live = page.locator("[data-fold-words]").text_content(), ringed(page)
        assert f"rows of {row}," in str(live[0])
        with page.expect_response(lambda reply: reply.request.method == "POST") as answered:
            slider.dispatch_event("change")
        sent = answered.value.text()
        assert str(live[0]) in sent
        until(page, "row => document.querySelector('.folding input').value === String(row)", arg=row)
        assert (page.locator("[data-fold-words]").text_content(), ringed(page)) == live


def test_the_marker_climbs_the_peak_and_folds_the_history(page: Page) -> None:
    fold(page)
    marker = page.get_by_role("slider", name=re.compile("by the spectrum$"))
    top = marker.evaluate("one => one.getBoundingClientRect().top")
    marker.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("slider", name="Fold the history into rows of")).to_have_value("8")
    expect(marker).to_have_attribute("aria-valuenow", "8")
    assert marker.evaluate("one => one.getBoundingClientRect().top") > top + 10  # off the peak
    box = marker.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] - 400, box["y"] + 12, steps=5)
    page.mouse.up()
    expect(page.get_by_role("slider", name="Fold the history into rows of")).to_have_value("2")
    expect(page.get_by_role("button", name=re.compile("^Hear .* again$"))).to_have_count(0)  # no band was muted


def test_in_rows_the_arrows_go_up_and_down_too(page: Page) -> None:
    fold(page)
    page.locator(".chip-main").nth(8).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".chip-main").nth(15)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".chip-main").nth(1)).to_be_focused()


@pytest.mark.parametrize("row", [5, 7])
def test_the_titles_of_two_months_stay_readable_in_rows_on_a_laptop(page: Page, address: str, row: int) -> None:
    days = tuple("i00" if day % row == row - 1 else f"i{1 + day % 4}{day % 8}" for day in range(62))
    visit(page, f"{address}?s={to_link(State(world='toy-shop', history=days, fold=row))}")
    count(page, 62)
    letters = page.locator(".chip-main").evaluate_all(
        "all => all.map(one => [parseFloat(getComputedStyle(one).fontSize), one.scrollHeight - one.clientHeight])"
    )
    assert min(size for size, _ in letters) >= 11
    assert max(cut for _, cut in letters) <= 1
    expect(page.locator(".chips")).to_have_js_property("scrollTop", 0)  # all rows are on the screen
    # once the cards have stopped moving
    fits = "box => box.scrollHeight - box.clientHeight <= 1"
    until(page, f"({fits})(document.querySelector('.lists'))")
    assert page.locator("#m2-spectrum-plot").bounding_box()["height"] > 84  # type: ignore[index]


def test_where_no_title_fits_the_one_that_is_pointed_at_or_has_the_focus_is_written_out(page: Page) -> None:
    page.get_by_role("combobox", name="Presets").select_option("longest")
    count(page, 200)
    fold(page)
    expect(page.locator(".chips")).to_have_class(re.compile("tiles"))
    chip = page.locator(".chip-main").nth(190)
    title = chip.locator("bdi").text_content()
    chip.focus()
    expect(page.locator("[data-fold-chip]")).to_have_text(f"191 {title}")
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-fold-chip]")).to_have_text(re.compile("^184 "))


def test_a_link_brings_the_fold_along_and_undo_leaves_it(page: Page) -> None:
    fold(page)
    page.get_by_role("button", name="Shuffle the history").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Redo")).to_be_enabled()
    assert len(ringed(page)) == 5
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_url("**/?s=*")
    page.reload()
    expect(page.locator(".chip.ring")).to_have_count(5)
