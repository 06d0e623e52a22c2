"""The page on a laptop and on a phone, in light and dark, and for who needs it otherwise."""

import re

import pytest

from tests.ui.browser.visiting import CHART, LAPTOP, PHONE, START, BrowserContext, Page, count, expect, visit


def test_everything_is_on_one_laptop_screen(page: Page) -> None:
    size = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert size == [LAPTOP["height"], LAPTOP["width"]]
    count(page, START)
    expect(page.get_by_role("list", name="Recommendations").get_by_role("listitem")).to_have_count(10)
    for name in (
        "What this person chose",
        "What comes next",
        "Who to trust: the gate",
        "Rhythm in the history: the spectrum",
    ):
        expect(page.get_by_role("heading", name=name)).to_be_in_viewport()
    for tab in ("Lessons", "Results", "Your own data", "About"):
        expect(page.get_by_role("tab", name=tab)).to_be_in_viewport()


@pytest.mark.parametrize("compare", ["", "frequency"], ids=["one list", "two lists"])
def test_ten_recommendations_fit_into_their_panel_on_a_laptop(page: Page, compare: str) -> None:
    page.get_by_role("combobox", name="Presets").select_option("calendar")  # the tallest that stands above the cards
    page.locator("#m2-calendar-plot .main-svg").first.wait_for()
    if compare:
        page.get_by_role("combobox", name="Compare with").select_option(compare)
        page.locator(".other").wait_for()
    lists = page.locator(".lists")
    assert lists.evaluate("box => box.scrollHeight - box.clientHeight") <= 1
    tops = lists.locator(".cards").evaluate_all(
        "all => all.map(list => [...list.children].map(card => card.offsetTop))"
    )
    assert len({tuple(top) for top in tops}) == 1  # the same rank is at the same height


def test_two_hundred_items_and_long_titles_stay_within_their_panels(page: Page) -> None:
    page.get_by_role("combobox", name="Presets").select_option("longest")
    count(page, 200)
    page.get_by_role("combobox", name="Search for an item to add").fill("a very long invented item " * 7)
    page.get_by_role("option", name=re.compile("^Invent")).click()
    count(page, 201)
    for size in (LAPTOP, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    expect(page.locator(".history")).to_contain_text("the model reads the newest 200")


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_word_as_long_as_a_line_stays_within_the_reading_and_the_dialogs(page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    word = "x" * 199
    page.get_by_role("combobox", name="Search for an item to add").fill(word)
    page.get_by_role("option", name=re.compile("^Invent")).click()
    count(page, START + 1)
    expect(page.locator(".reading")).to_contain_text(word)
    assert page.locator(".reading").evaluate("box => box.scrollWidth - box.clientWidth") == 0
    page.locator(".card-open").first.click()
    dialog = page.get_by_role("dialog")
    influence = dialog.locator(".influences li", has_text=word)
    expect(influence).to_be_visible()
    assert dialog.evaluate("one => one.scrollWidth - one.clientWidth") == 0


def test_on_a_phone_all_is_one_column_without_sideways_scrolling(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    expect(page.locator(CHART).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    lefts = page.locator(".panel").evaluate_all("all => all.map(one => Math.round(one.getBoundingClientRect().left))")
    assert len(set(lefts)) == 1


def test_on_a_phone_a_gate_set_by_hand_fits_and_two_lists_stand_side_by_side(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.get_by_role("slider", name="Frequency weight").fill("40")
    expect(page.get_by_role("button", name="Release to the model")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("combobox", name="Compare with").select_option("temporal")
    other = page.get_by_role("list", name="No temporal branch").get_by_role("listitem")
    expect(other).to_have_count(10)
    page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => null)")
    own = page.get_by_role("list", name="Recommendations").get_by_role("listitem")
    tops = [round(one.bounding_box()["y"]) for one in (own.first, other.first, own.nth(9), other.nth(9))]  # type: ignore[index]
    assert (tops[0], tops[2]) == (tops[1], tops[3])
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_numbers_behind_a_recommendation_fit_a_phone_and_its_bar_is_seen(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.locator(".card-open").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("columnheader", name="= share")).to_be_in_viewport(ratio=1)
    assert dialog.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    box = dialog.locator(".lead + .bar").bounding_box()
    assert box is not None
    assert box["height"] >= 8


def test_before_a_class_letters_are_larger_and_all_is_still_one_screen(page: Page) -> None:
    def letters() -> list[float]:
        titles = [page.locator(".card .title").first, page.locator(".chip").first, page.locator(".reading p").first]
        return [float(one.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")) for one in titles]

    small = letters()
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert all(now >= 1.2 * before for now, before in zip(letters(), small, strict=True))
    size = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert size == [1080, 1920]


@pytest.mark.parametrize("section", ["Lessons", "Results", "Your own data", "About"])
def test_on_a_phone_no_section_scrolls_the_page_sideways(page: Page, section: str) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.get_by_role("tab", name=section).click()
    page.get_by_role("tabpanel", name=section).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_theme_follows_the_system_until_chosen_and_stays_chosen(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".m2")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator(".m2")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Shuffle the history").click()
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    expect(page.locator(".m2")).to_have_attribute("data-theme", "light")


def test_with_forced_colours_the_bars_of_the_evidence_stay(page: Page) -> None:
    shown = "all => all.map(one => getComputedStyle(one).backgroundColor)"
    bars = page.locator(".card").first.locator(".bar .fill")
    before = bars.evaluate_all(shown)
    assert len(set(before)) == 3
    page.emulate_media(forced_colors="active")
    assert bars.evaluate_all(shown) == before
    for name in (".scale i", ".weight input", ".key"):
        kept = page.evaluate(
            """(selector) => {
              const made = document.querySelector(".m2").appendChild(document.createElement("table"));
              made.innerHTML = '<td class="scale weight"><i></i><input><span class="key"></span></td>';
              const found = getComputedStyle(made.querySelector(selector)).forcedColorAdjust;
              made.remove();
              return found;
            }""",
            name,
        )
        assert kept == "none", name


def test_until_the_chart_library_is_there_the_panels_say_that_they_wait(context: BrowserContext, address: str) -> None:
    page = context.new_page()  # not the strict one: the browser itself logs what cannot be loaded
    page.route("**/plotly*", lambda route: route.abort())
    page.goto(address)
    page.locator(".chip").first.wait_for()
    said = page.locator("#m2-spectrum-plot").evaluate("one => getComputedStyle(one, '::before').content")
    assert said == '"Loading the chart …"'


def test_nothing_is_animated_with_reduced_motion(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("combobox", name="Presets").select_option("noise")
    count(page, 40)
    assert page.evaluate("document.querySelector('.m2').getAnimations({ subtree: true }).length") == 0


@pytest.mark.parametrize(
    ("opened", "scheme", "size"),
    [
        ("page", "light", LAPTOP),
        ("page", "dark", PHONE),
        ("lesson", "light", PHONE),
        ("details", "dark", LAPTOP),
        ("lessons", "dark", LAPTOP),
        ("about", "light", LAPTOP),
        ("test", "light", PHONE),
        ("results", "dark", PHONE),
        ("calendar", "light", LAPTOP),
        ("empty", "dark", LAPTOP),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value['width']} wide",
)
def test_axe_finds_nothing_to_complain_about(
    page: Page, address: str, scheme: str, size: dict[str, int], opened: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: see requirements-dev.txt")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    if opened == "lesson":
        visit(page, f"{address}?lesson=period")
    elif opened == "details":
        page.locator(".card-open").first.click()
        page.get_by_role("dialog").wait_for()
    elif opened == "calendar":
        page.get_by_role("combobox", name="Presets").select_option("calendar")
        page.locator("#m2-calendar-plot .main-svg").first.wait_for()
    elif opened == "empty":
        page.get_by_role("button", name="Clear the history").click()
        count(page, 0)
    elif opened != "page":
        page.get_by_role("tab", name=opened.capitalize()).click()
        page.get_by_role("tabpanel").wait_for()
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
