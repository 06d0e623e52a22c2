"""Days, guesses and true causes, in the browser: played, stepped through and scored."""

import re

import pytest

from tests.ui.browser.visiting import LAPTOP, PHONE, Page, count, expect


@pytest.fixture
def address(market_address: str) -> str:
    """The page under test is that of the shipped market."""
    return market_address


def test_a_drawn_customer_is_played_with_causes_and_a_score_in_one_reply(page: Page) -> None:
    calls: list[str] = []
    page.get_by_role("button", name="Play the days").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Days, guesses and what came")).to_be_visible()
    dialog.get_by_role("button", name="A usual customer").click()
    count(page, 105)
    expect(dialog.get_by_role("heading", name="Days, guesses and true causes")).to_be_visible()
    page.on("request", lambda request: calls.append(request.url) if request.method == "POST" else None)
    slider = page.get_by_role("slider", name="After how many days")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text("after 2 of 105", exact=True)).to_be_visible()
    expect(dialog.get_by_role("status").first).to_contain_text(
        re.compile(r"After 2 days the first guess was .* Then came ")
    )
    expect(dialog.locator("[data-days='cause'] dd")).to_have_text(re.compile("rhythm of|chain|taste|chance"))
    expect(dialog.locator("[data-days-row]").first.locator(".later")).to_have_count(105 - 2)
    page.keyboard.press("End")
    expect(dialog.get_by_text("The next is not known yet.")).to_be_visible()
    score = dialog.locator("[data-days='scores'] li")
    expect(score.nth(2)).to_contain_text(re.compile(r"gate's favourite was the cause\d+ of \d+"))
    expect(score.nth(3)).to_contain_text(re.compile(r"fair oracle's favourite was\d+ of \d+"))
    assert score.nth(2).locator("b").inner_text().split()[-1] == score.nth(3).locator("b").inner_text().split()[-1]
    play = dialog.get_by_role("button", name="Play through the history")
    play.click()  # from the beginning again
    expect(dialog.get_by_text("after 3 of 105", exact=True)).to_be_visible()
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    assert calls == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


WATCH = """() => {
  const dialog = document.querySelector("dialog");
  window.apart = [];
  new MutationObserver(() => {
    const said = dialog.querySelector("[data-days='words']").textContent.match(/After (\\d+) /)?.[1];
    const counted = dialog.querySelector("[data-play-at]").textContent.match(/after (\\d+) /)?.[1];
    if (said !== counted) window.apart.push([said, counted]);
  }).observe(dialog, { subtree: true, childList: true, characterData: true });
}"""


def test_while_it_plays_the_counter_and_the_sentence_are_of_one_day(page: Page) -> None:
    page.get_by_role("button", name="Play the days").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("after 1 of 41", exact=True)).to_be_visible()
    page.evaluate(WATCH)
    dialog.get_by_role("button", name="Play through the history").click()
    expect(dialog.get_by_text("after 3 of 41", exact=True)).to_be_visible()
    assert page.evaluate("window.apart") == []


@pytest.mark.parametrize(("scheme", "size"), [("dark", LAPTOP), ("light", PHONE)], ids=["laptop", "phone"])
def test_it_fits_and_axe_finds_nothing_to_complain_about(page: Page, scheme: str, size: dict[str, int]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: see requirements-dev.txt")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.get_by_role("combobox", name="Presets").select_option("shopper-rhythm")
    count(page, 103)
    page.get_by_role("button", name="Play the days").click()
    dialog = page.get_by_role("dialog")
    page.get_by_role("slider", name="After how many days").press("PageUp")
    assert dialog.evaluate("box => box.scrollWidth - box.clientWidth") <= 1
    if size == LAPTOP:
        assert dialog.evaluate("box => box.scrollHeight - box.clientHeight") <= 1
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
