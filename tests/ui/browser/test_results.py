"""The switch of the results' chart: the fair way first, and one way at a time."""

from tests.ui.browser.visiting import BrowserContext, expect, visit


def test_a_switch_shows_the_models_with_seen_items_left_in_or_taken_out(
    context: BrowserContext, market_address: str
) -> None:
    page = context.new_page()
    visit(page, market_address)
    page.get_by_role("tab", name="Results").click()
    left_in = page.get_by_role("table", name="HR@10 with items of the history left in")
    taken_out = page.get_by_role("table", name="HR@10 with items of the history taken out")
    expect(left_in).to_be_visible()
    expect(taken_out).to_have_count(0)  # neither on the screen nor read out
    page.get_by_role("radio", name="left in").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="taken out")).to_be_checked()
    expect(taken_out).to_be_visible()
    expect(left_in).to_have_count(0)
