"""What is announced, where the focus stays, what the keys do, and what the browser remembers."""

import re

import pytest

from tests.ui.browser.visiting import PHONE, READY, START, BrowserContext, Page, chips, count, expect, until, visit


def test_what_an_action_led_to_is_announced(page: Page) -> None:
    said = page.get_by_role("status", name="What changed")
    expect(said).to_have_text("")
    page.get_by_role("button", name="Shuffle the history").click()
    expect(said).to_have_text(re.compile("comes next with|^Likeliest next: "))
    assert said.text_content() == page.locator(".reading p").first.text_content()


@pytest.mark.parametrize("where", ["Add to the history", "Undo", "Clear the history"])
def test_the_focus_never_falls_to_the_body(page: Page, where: str) -> None:
    if where == "Add to the history":
        page.locator(".card-open").nth(4).click()
        page.get_by_role("dialog").get_by_role("button", name=where).click()
        count(page, START + 1)
    else:
        page.get_by_role("button", name="Shuffle the history").click()
        expect(page.get_by_role("button", name="Undo")).to_be_enabled()
        page.get_by_role("button", name=where).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=where)).to_be_disabled()
    until(page, "document.activeElement !== document.body")
    assert page.evaluate("document.activeElement.closest('.m2') !== null")


def test_undo_and_redo_have_their_usual_keys_but_not_while_one_types(page: Page) -> None:
    page.get_by_role("button", name="Clear the history").click()
    count(page, 0)
    page.keyboard.press("Control+z")
    count(page, START)
    page.keyboard.press("Control+Shift+z")
    count(page, 0)
    page.keyboard.press("Control+z")
    count(page, START)
    page.get_by_role("combobox", name="Search for an item to add").press_sequentially("oat")
    page.keyboard.press("Control+z")
    count(page, START)


def test_escape_closes_the_export_menu_and_gives_the_focus_back(page: Page) -> None:
    page.get_by_text("Export", exact=True).click()
    expect(page.get_by_role("button", name="Answer as JSON")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Answer as JSON")).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_reload_loses_nothing_and_back_goes_back(page: Page) -> None:
    page.get_by_role("button", name="Shuffle the history").click()
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    shuffled = chips(page)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".m2")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Clear the history").click()
    count(page, 0)
    page.go_back()
    count(page, START)
    assert chips(page) == shuffled
    page.reload()
    expect(page.locator(".m2[data-ready]")).to_be_visible()
    count(page, START)
    assert chips(page) == shuffled
    expect(page.locator(".m2")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()


def test_the_open_tab_outlives_a_reload_and_is_part_of_a_link(page: Page, context: BrowserContext) -> None:
    tab, panel = page.get_by_role("tab", name="Results"), page.get_by_role("tabpanel", name="Results")
    tab.click()
    expect(panel).to_be_visible()
    page.reload()
    expect(panel).to_be_visible()
    page.get_by_role("button", name="Shuffle the history").click()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_url("**/?s=*#results")
    other = context.new_page()
    visit(other, page.url)
    expect(other.get_by_role("tabpanel", name="Results")).to_be_visible()
    tab.click()
    page.wait_for_url(re.compile(r"^[^#]*$"))
    page.reload()
    page.locator(READY).wait_for()
    expect(page.get_by_role("tabpanel")).to_have_count(0)


def test_the_theme_is_kept_for_the_next_visit(page: Page, context: BrowserContext, address: str) -> None:
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".m2")).to_have_attribute("data-theme", "dark")
    other = context.new_page()
    visit(other, address)
    expect(other.locator(".m2")).to_have_attribute("data-theme", "dark")


def test_the_address_may_name_a_world_and_follows_the_lesson(page: Page, address: str) -> None:
    visit(page, f"{address}?world=toy-shop")
    count(page, START)
    visit(page, f"{address}?lesson=noise")
    page.get_by_role("button", name="Leave the lesson").click()
    page.wait_for_url(lambda url: "lesson" not in url)


def test_the_opening_finds_breaks_and_switches_off_and_is_gone_at_the_next_visit(
    page: Page, context: BrowserContext, address: str
) -> None:
    opening = page.get_by_role("region", name="To begin with")
    expect(opening).to_contain_text(
        f"A made-up person's {START} interactions. Can a model guess the next, and say why?"
    )
    opening.get_by_role("button", name="Find the rhythm").click()
    expect(page.locator(".history.result .folded .ring")).to_have_count(5)
    first = page.locator(".card .title").first.text_content()
    opening.get_by_role("button", name="Switch rhythm off").click()
    expect(page.get_by_role("status", name="Message")).to_contain_text(f"{first} had")
    expect(page.get_by_role("slider", name=re.compile("Frequency weight"))).to_have_value("0")
    expect(page.locator(".next.result")).to_be_visible()
    opening.get_by_role("button", name="Break it").click()
    expect(page.get_by_role("status", name="Message")).to_contain_text("The same things in another order")
    other = context.new_page()
    visit(other, address)
    expect(other.get_by_role("region", name="To begin with")).to_be_hidden()


def test_the_opening_is_about_its_own_history_alone_and_stays_closed(page: Page) -> None:
    opening = page.get_by_role("region", name="To begin with")
    page.get_by_role("combobox", name="Presets").select_option("noise")
    expect(opening).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(opening).to_be_visible()
    opening.get_by_role("button", name="Close this line for good").click()
    page.get_by_role("button", name="Shuffle the history").click()
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    expect(opening).to_be_hidden()


def test_nothing_of_a_pasted_list_that_is_unknown_takes_the_history_away(page: Page) -> None:
    page.get_by_role("button", name="Paste a list").click()
    page.get_by_role("textbox", name="Titles").fill("qqqq\nzzzz")
    page.get_by_role("button", name="Find these items").click()
    page.get_by_role("button", name="Make it the history").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("the history stays as it is")
    page.keyboard.press("Escape")
    count(page, START)


def test_a_table_opens_with_room_for_several_rows(page: Page) -> None:
    page.get_by_role("button", name="The gate as a table").click()
    box = page.get_by_role("dialog", name="The gate as a table").bounding_box()
    assert box is not None
    assert box["height"] >= 290


def test_on_a_phone_the_export_menu_is_whole_and_older_chips_are_hinted_at(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(page.locator(".chips")).to_have_class(re.compile("more-above"))
    page.get_by_label("Export").click()
    box = page.locator(".menu ul").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_ringing_chips_moves_none_of_them(page: Page) -> None:
    places = "all => all.map((one) => { const { x, y, width } = one.getBoundingClientRect(); return [x, y, width]; })"
    before = page.locator(".chip").evaluate_all(places)
    page.locator(".chip").evaluate_all("all => all.forEach((one) => one.classList.add('beat'))")
    assert page.locator(".chip").evaluate_all(places) == before
