"""How it was computed, in the browser: from the card to its arithmetic, by pointer and by keyboard."""

import pytest

from tests.ui.browser.visiting import LAPTOP, PHONE, Page, expect, until


@pytest.fixture
def address(market_address: str) -> str:
    """The page under test is that of the shipped market."""
    return market_address


def open_first(page: Page) -> str:
    """Opens the view of the first card → its percentage on the card."""
    shown = page.locator(".card .chance").first.text_content() or ""
    page.locator(".card-open").first.click()
    page.get_by_role("button", name="How it was computed").click()
    page.locator("[data-computed-last]").wait_for()
    return shown


def test_from_a_card_to_the_arithmetic_and_through_the_days_by_keyboard(page: Page) -> None:
    shown = open_first(page)
    last = page.locator("[data-computed-last]")
    expect(last).to_have_text(shown)
    expect(page.get_by_role("heading", name="How it was computed: Ground coffee")).to_be_visible()
    for name in ("Temporal", "Frequency", "Semantic", "The gate, and the sum"):
        expect(page.get_by_role("region", name=name)).to_be_in_viewport()
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("box => box.scrollHeight - box.clientHeight") <= 1  # one screen
    slider = page.get_by_role("slider", name="After how many days")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("after 40 of 41", exact=True)).to_be_visible()
    expect(dialog).to_contain_text("Then came")
    expect(last).not_to_have_text(shown)
    assert page.evaluate("document.activeElement.dataset.playDay !== undefined")
    page.keyboard.press("Home")
    expect(page.get_by_text("after 1 of 41", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="One day back")).to_be_disabled()
    page.keyboard.press("End")
    expect(last).to_have_text(shown)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    until(page, "document.activeElement.matches('.card-open')")


def test_it_plays_to_the_end_and_stops_on_request(page: Page) -> None:
    shown = open_first(page)
    play = page.get_by_role("button", name="Play through the history")
    for _ in range(2):
        page.get_by_role("button", name="One day back").click()
    expect(page.get_by_text("after 39 of 41", exact=True)).to_be_visible()
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("after 41 of 41", exact=True)).to_be_visible()
    expect(play).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-computed-last]")).to_have_text(shown)
    play.click()  # from the first day again
    expect(page.get_by_text("after 2 of 41", exact=True)).to_be_visible()
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(("scheme", "size"), [("light", LAPTOP), ("dark", PHONE)], ids=["laptop", "phone"])
def test_it_fits_and_axe_finds_nothing_to_complain_about(page: Page, scheme: str, size: dict[str, int]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: see requirements-dev.txt")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    open_first(page)
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("box => box.scrollWidth - box.clientWidth") <= 1
    assert page.evaluate("document.getAnimations().length") == 0
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []


def test_a_day_that_was_shown_is_not_asked_for_again_and_the_next_one_comes_ahead(page: Page) -> None:
    open_first(page)
    asked: list[int] = []
    page.on("request", lambda request: asked.append(request.post_data_json["day"]) if "/ask" in request.url else None)
    slider = page.get_by_role("slider", name="After how many days")
    for key, day in (("ArrowLeft", 40), ("ArrowLeft", 39), ("ArrowRight", 40), ("ArrowLeft", 39)):
        slider.press(key)
        expect(page.get_by_role("dialog").get_by_text(f"after {day} of 41", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert asked == [40, 39, 38]
