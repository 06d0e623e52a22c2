"""The document is the whole page before any script has run."""

import pytest

from tests.ui.browser.visiting import LAPTOP, PHONE, START, BrowserContext, Page, Route, count, expect, visit

WATCH_READING = """
(() => {
  window.readings = new Set();
  const look = () => {
    const said = document.querySelector(".reading p");
    if (said?.checkVisibility({ visibilityProperty: true })) window.readings.add(said.textContent);
    requestAnimationFrame(look);
  };
  look();
})();
"""


REGIONS = "[...document.querySelectorAll('.m2 [data-region]')].map((region) => region.innerText)"

WATCH_SHIFTS = """
window.shifts = 0;
new PerformanceObserver((all) => all.getEntries().forEach((one) => (window.shifts += one.value)))
  .observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_what_the_document_holds_is_what_stays_and_nothing_shifts(
    context: BrowserContext, address: str, scheme: str, size: dict[str, int]
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.add_init_script(WATCH_SHIFTS)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(address)
    expect(page.locator(".m2")).to_have_attribute("data-theme", scheme)
    early = page.evaluate(REGIONS)
    page.unroute("**/*.js")
    visit(page, address)
    assert page.evaluate(REGIONS) == early
    assert page.evaluate("window.shifts") < 0.01
    assert page.locator("main:visible").count() == 1


def test_what_is_clicked_while_the_server_is_slow_is_done_in_order(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    held: list[Route] = []
    visit(page, address)
    page.route("**/act", lambda route: route.continue_() if held else held.append(route))
    page.get_by_role("button", name="Shuffle the history").click()
    page.get_by_role("button", name="Clear the history").click()
    expect(page.get_by_role("progressbar", name="Computing the answer")).to_be_visible()
    count(page, START)
    held[0].continue_()
    count(page, 0)


def test_a_link_shows_its_own_history_and_never_the_default_before_it(
    page: Page, context: BrowserContext, address: str
) -> None:
    page.get_by_role("combobox", name="Presets").select_option("taste")
    count(page, 20)
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_url("**/?s=*")
    for link, interactions in ((page.url, 20), (f"{address}?lesson=chains", 9)):
        other = context.new_page()
        other.add_init_script(WATCH_READING)
        visit(other, link)
        count(other, interactions)
        expect(other.locator(".reading")).to_be_visible()
        assert other.evaluate("[...window.readings]") == [other.locator(".reading p").first.text_content()]
