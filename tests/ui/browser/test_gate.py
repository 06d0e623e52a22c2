"""The gate while it is dragged: the browser computes the answer that the server gives afterwards."""

import re

import pytest

from m2rec.branches import ORDERED
from m2rec.ui.render.words import percent
from tests.ui.browser.visiting import Page, expect, until

SHOWN = """
() => ({
  cards: [...document.querySelectorAll(".cards:not(.plain) > .card")].map((card) => [
    card.dataset.item,
    card.innerText.split("\\n").filter((line) => line.trim()),
    [...card.querySelectorAll("[aria-label]")].map((part) => part.getAttribute("aria-label")),
    [...card.querySelectorAll(".bar .fill")].map((bar) => bar.style.width),
    card.querySelector(".add").dataset.act.replaceAll(" ", ""),
  ]),
  sentence: document.querySelector(".reading p").textContent,
  sliders: [...document.querySelectorAll("[data-weight]")].map((one) => [one.value, one.ariaValueText]),
})
"""
LET_MOVE = """
(slider, value) => new Promise((done) => {
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(done));
})
"""


@pytest.mark.parametrize("name", ["Temporal", "Frequency", "Semantic"])
def test_cards_shares_weights_and_sentence_follow_the_slider_and_stay_when_the_server_answers(
    page: Page, name: str
) -> None:
    slider = page.get_by_role("slider", name=re.compile(f"^{name} weight"))
    start = page.evaluate(SHOWN)
    for value in (0, 37, 88, 100):
        slider.evaluate(LET_MOVE, value)
        live = page.evaluate(SHOWN)
        assert "You set the gate by hand" in live["sentence"]
        assert live["cards"] != start["cards"]
        with page.expect_response(lambda reply: reply.request.method == "POST"):
            slider.dispatch_event("change")
        until(page, "document.querySelector('.busy').hidden && !document.getAnimations().length")
        expect(page.get_by_role("button", name="Release to the model")).to_be_visible()
        kept = page.evaluate(SHOWN)
        for before, after in zip(live["cards"], kept["cards"], strict=True):  # a link keeps six digits of a weight
            assert [float(width.rstrip("%")) for width in before.pop(3)] == pytest.approx(
                [float(width.rstrip("%")) for width in after.pop(3)], abs=0.01
            )
        assert kept == live
        page.get_by_role("button", name="Release to the model").click()
        expect(page.get_by_role("button", name="Release to the model")).to_have_count(0)


def test_percentages_are_written_as_the_server_writes_them(page: Page) -> None:
    shares = [0, 1e-9, 0.00049, 0.0005, 0.001, 0.0123, 0.0994, 0.0995, 0.0996, 0.1, 0.499, 0.994, 0.995, 0.9994, 1]
    shares += [step / 997 for step in range(997)]
    written = page.evaluate("async (all) => all.map((await import('./m2rec-static/page/wording.js')).percent)", shares)
    assert written == [percent(share) for share in shares]


def test_evidence_has_the_names_of_the_server(page: Page) -> None:
    named = page.evaluate("async () => (await import('./m2rec-static/page/wording.js')).EVIDENCE")
    assert named == [{"key": one.key, "name": one.name, "plain": one.plain, "mark": one.mark} for one in ORDERED]
