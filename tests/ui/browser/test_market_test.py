"""The three commands of the market's test can be copied."""

from tests.ui.browser.visiting import PHONE, Page, expect


def test_a_command_is_copied_by_its_button(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("tab", name="Take the test").click()
    page.get_by_role("button", name="Copy: python -m m2rec market export").click()
    expect(page.locator("[data-notice]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == "python -m m2rec market export my-market"


def test_its_commands_do_not_make_the_page_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.get_by_role("tab", name="Take the test").click()
    page.get_by_role("tabpanel", name="Take the test").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
