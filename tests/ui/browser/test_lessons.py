"""Lessons in the browser: the marker, the sketch, and the panel that a lesson is about beside it."""

import re

import pytest

from m2rec.ui.lessons import Lesson, lesson, lessons
from tests.ui.browser.visiting import LAPTOP, PHONE, READY, Page, expect, until, visit

ANYWHERE = [one for one in lessons() if one.world is None]
SIGHT = """
(panel) => {
  const [lesson, shown] = [".lesson", panel].map((one) => document.querySelector(one).getBoundingClientRect());
  const under = lesson.top <= shown.top ? lesson.bottom : 0;
  const [top, bottom] = [Math.max(shown.top, under, 0), Math.min(shown.bottom, innerHeight)];
  return { lesson: lesson.top >= -1 && lesson.bottom <= innerHeight, height: shown.height, visible: bottom - top };
}
"""
PANELS = {"cards": ".panel.next", "gate": ".panel.gate", "spectrum": ".panel.spectrum"}
ENOUGH = 220  # px of a panel that is longer than a phone


def guess(page: Page, one: Lesson) -> None:
    """Answers the lesson's question in some way."""
    if one.choices:
        page.get_by_role("button", name=one.choices[0].text, exact=True).click()
        expect(page.get_by_role("button", name=one.choices[0].text, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
    elif one.mark:
        page.locator("[data-guess-area]").click(position={"x": 150, "y": 40})
        expect(page.locator(".lesson")).to_contain_text("Your marker: period")
    else:
        page.get_by_role("slider", name="Temporal in your sketch").fill("80")
        expect(page.locator(".lesson")).to_contain_text("Now press the button")


@pytest.mark.parametrize("one", ANYWHERE, ids=lambda one: one.id)
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_lesson_and_its_panel_are_in_sight_together_at_every_step(
    page: Page, address: str, size: dict[str, int], one: Lesson
) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(f"{address}?lesson={one.id}")
    page.locator(READY).wait_for()
    for step in range(3):
        expect(page.locator(f'.lesson[data-step="{step}"]')).to_be_visible()
        until(
            page,
            f"(panel) => {{ const {{ lesson, height, visible }} = ({SIGHT})(panel); "
            f"return lesson && visible >= Math.min(height, {ENOUGH}) - 1; }}",
            arg=PANELS[one.about],
        )
        assert page.locator(".lesson").evaluate("one => one.scrollHeight - one.clientHeight") <= 1
        if size == LAPTOP and one.about == "spectrum":
            assert page.locator(".spectrum").evaluate("one => one.scrollHeight - one.clientHeight") <= 1
        if step == 0:
            guess(page, one)
            page.locator(".lesson").get_by_role("button", name=one.act, exact=True).click()
        elif step == 1:
            page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(".lesson").get_by_role("status")).not_to_be_empty()


def test_a_marker_is_put_by_keyboard_and_by_mouse_and_the_answer_speaks_of_it(page: Page, address: str) -> None:
    visit(page, f"{address}?lesson=period")
    marker = page.get_by_role("slider", name="Where you expect the spectrum to be highest")
    expect(page.locator(".reading")).to_be_hidden()  # it would say it
    expect(page.get_by_role("button", name=re.compile("^Fold"))).to_have_count(0)
    expect(marker).to_have_attribute("aria-valuetext", "not put yet")
    marker.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(marker).to_have_attribute("aria-valuenow", "5")
    expect(marker).to_be_focused()
    box = marker.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] - 10, steps=5)
    page.mouse.up()
    expect(marker).to_have_attribute("aria-valuenow", re.compile(r"^1\d$|^20$"))
    page.keyboard.press("Home")
    expect(page.locator(".lesson")).to_contain_text("Your marker: period 2")
    page.get_by_role("button", name=lesson("period").act).click()
    expect(page.locator(".reading")).to_contain_text(re.compile("comes next with|Likeliest next: "))
    expect(marker).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Show the answer").click()
    expect(page.locator(".lesson").get_by_role("status")).to_contain_text("Your marker stands at 2: the power there is")
    page.get_by_role("button", name="Leave the lesson").click()
    expect(page.locator("#m2-guess")).to_be_hidden()


def test_a_sketch_always_adds_up_and_stands_beside_the_gate_in_the_answer(page: Page, address: str) -> None:
    visit(page, f"{address}?lesson=gate")
    rhythm = page.get_by_role("slider", name="Frequency in your sketch")
    rhythm.focus()
    page.keyboard.press("End")
    expect(rhythm).to_have_value("100")
    values = page.locator("[data-sketch]").evaluate_all("all => all.map(one => Number(one.value))")
    assert values == [0, 100, 0]
    expect(rhythm).to_be_focused()
    page.locator(".lesson").get_by_role("button", name=lesson("gate").act).click()
    expect(rhythm).to_be_disabled()
    page.get_by_role("button", name="Show the answer").click()
    said = page.locator(".lesson").get_by_role("status")
    expect(said).to_contain_text("You gave Frequency most, 100")
    expect(said.locator(".bar")).to_have_count(2)


def test_the_address_follows_the_next_lesson_and_a_class_goes_back_to_the_list(page: Page, address: str) -> None:
    visit(page, f"{address}?lesson=two-cycles&class")
    page.get_by_role("button", name="Show the answer").click()
    page.get_by_role("button", name="Next lesson").click()
    page.wait_for_url("**lesson=noise**")
    page.reload()
    expect(page.get_by_role("region", name=lesson("noise").title)).to_be_visible()
    page.get_by_role("button", name="Leave the lesson").click()
    expect(page.get_by_role("tabpanel", name="Lessons")).to_be_visible()
    expect(page.locator(".history")).to_be_hidden()  # a class sees the list alone
    assert "lesson=" not in page.url
    page.get_by_role("tabpanel").get_by_role("button", name=re.compile(lesson("chains").title)).click()
    expect(page.get_by_role("region", name=lesson("chains").title)).to_be_visible()


def test_after_the_last_lesson_comes_the_list_of_all(page: Page, address: str) -> None:
    visit(page, f"{address}?lesson={lessons()[-1].id}")
    page.get_by_role("button", name="Show the answer").click()
    page.get_by_role("button", name="All lessons").click()
    expect(page.get_by_role("tabpanel", name="Lessons")).to_be_visible()
    expect(page.locator(".lesson")).to_have_count(0)


@pytest.mark.parametrize("one", ANYWHERE, ids=lambda one: one.id)
def test_axe_finds_nothing_to_complain_about_in_a_lesson_or_its_answer(page: Page, address: str, one: Lesson) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: see requirements-dev.txt")
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto(f"{address}?lesson={one.id}")
    page.locator(READY).wait_for()
    for answered in (False, True):
        if answered:
            guess(page, one)
            page.get_by_role("button", name="Show the answer").click()
            expect(page.locator('.lesson[data-step="2"]')).to_be_visible()
        found = axe.Axe().run(page).response["violations"]
        assert [(found_one["id"], [node["html"][:120] for node in found_one["nodes"]]) for found_one in found] == []
