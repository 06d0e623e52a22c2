"""The page in a real browser: what a visitor sees and can do, by role and label."""

import codecs
import re
import time

import pytest

from tests.ui.browser.visiting import START, BrowserContext, Page, Route, chips, count, expect, visit


def test_an_item_is_found_and_added_by_keyboard_alone_and_undone(page: Page) -> None:
    box = page.get_by_role("combobox", name="Search for an item to add")
    box.focus()
    page.keyboard.type("oat")
    expect(page.get_by_role("option", name="Oat milk")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    count(page, START + 1)
    assert chips(page)[-1] == "Oat milk"
    expect(box).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    count(page, START)
    page.get_by_role("button", name="Redo").click()
    count(page, START + 1)


def test_enter_adds_the_first_hit_of_what_is_typed_and_never_of_an_older_query(page: Page) -> None:
    page.route("**", answer_late)
    box = page.get_by_role("combobox", name="Search for an item to add")
    box.press_sequentially("oat")
    page.get_by_role("option", name="Oat milk").wait_for()
    box.fill("")
    page.keyboard.type("honey")
    page.keyboard.press("Enter")
    count(page, START + 1)
    assert chips(page)[-1] == "Honey"
    page.keyboard.type("rye crackers")
    page.keyboard.press("Enter")  # before any list is there
    page.keyboard.press("Enter")  # once is enough
    count(page, START + 2)
    assert chips(page)[-1] == "Rye crackers"


def test_a_text_too_long_for_a_title_is_said_to_be_and_stays_where_it_is(page: Page) -> None:
    box = page.get_by_role("combobox", name="Search for an item to add")
    box.fill("x" * 312)
    expect(page.get_by_role("status", name="Message")).to_contain_text("at most 199 characters, and this text has 312")
    page.keyboard.press("Enter")
    expect(box).to_have_value("x" * 312)
    count(page, START)


def answer_late(route: Route) -> None:
    """A network on which each call takes a while."""
    if route.request.method == "POST":
        time.sleep(0.3)
    route.continue_()


def test_what_is_typed_can_be_invented(page: Page) -> None:
    page.get_by_role("combobox", name="Search for an item to add").press_sequentially("a <lamp> & more")
    page.get_by_role("option", name=re.compile("^Invent")).click()
    count(page, START + 1)
    assert chips(page)[-1] == "a <lamp> & more"


def test_the_words_of_an_invention_stay_until_it_has_been_read(page: Page) -> None:
    held: list[Route] = []
    page.route("**/act", lambda route: held.append(route))
    box = page.get_by_role("combobox", name="Search for an item to add")
    box.press_sequentially("a lamp that hums")
    page.get_by_role("option", name=re.compile("^Invent")).click()
    message = page.get_by_role("status", name="Message")
    expect(message).to_contain_text("“a lamp that hums” is being read")
    expect(box).to_have_value("a lamp that hums")
    page.keyboard.press("Enter")  # once is enough
    held[0].continue_()
    count(page, START + 1)
    expect(box).to_have_value("")
    expect(message).to_be_empty()
    assert len(held) == 1


def test_the_words_of_an_invention_that_fails_can_be_sent_again(context: BrowserContext, address: str) -> None:
    page = context.new_page()  # not the strict one: the browser itself logs the lost connection
    visit(page, address)
    page.route("**/act", lambda route: route.abort())
    box = page.get_by_role("combobox", name="Search for an item to add")
    box.press_sequentially("a hat")
    page.get_by_role("option", name=re.compile("^Invent")).click()
    expect(page.get_by_role("status", name="Message")).to_contain_text("nothing is lost")
    expect(box).to_have_value("a hat")
    expect(box).to_be_editable()


def test_after_an_invention_one_can_type_on_by_keyboard_alone(page: Page) -> None:
    box = page.get_by_role("combobox", name="Search for an item to add")
    box.focus()
    for turn, words in enumerate(("a lamp that hums", "a hat"), start=1):
        page.keyboard.type(words)
        page.get_by_role("option", name=re.compile(f"^Invent “{words}”")).wait_for()
        page.keyboard.press("ArrowUp")  # from the first to the last
        page.keyboard.press("Enter")
        count(page, START + turn)
        expect(box).to_be_focused()
        expect(box).to_have_value("")
    assert chips(page)[-2:] == ["a lamp that hums", "a hat"]


def test_chips_are_moved_and_removed_by_keyboard(page: Page) -> None:
    before = chips(page)
    page.locator(".chip-main").last.focus()
    page.keyboard.press("Alt+ArrowLeft")
    expect(page.locator(".chip-main").nth(START - 2)).to_be_focused()
    assert chips(page) == [*before[:-2], before[-1], before[-2]]
    page.keyboard.press("Delete")
    count(page, START - 1)
    assert chips(page) == before[:-1]


def test_the_charts_are_updated_in_place(page: Page) -> None:
    page.evaluate("window.kept = [...document.querySelectorAll('.plot .main-svg, .reading, .cards')]")
    page.get_by_role("button", name=re.compile("^Add .* to the history")).first.click()
    count(page, START + 1)
    assert page.evaluate("window.kept.every((part) => part.isConnected)")


def test_the_gate_is_overridden_and_released(page: Page) -> None:
    slider = page.get_by_role("slider", name=re.compile("Frequency weight"))
    before = slider.input_value()
    slider.fill("90")
    expect(page.locator(".reading")).to_contain_text("You set the gate by hand")
    page.get_by_role("button", name="Release to the model").click()
    expect(slider).to_have_value(before)


def test_a_band_is_muted_by_dragging_and_unmuted(page: Page) -> None:
    box = page.locator("#m2-spectrum-plot .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 120, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 40, steps=6)
    page.mouse.up()
    page.get_by_role("button", name=re.compile("^Hear .* again$")).click()
    expect(page.get_by_role("button", name=re.compile("^Hear .* again$"))).to_have_count(0)


def test_hovering_a_column_of_the_gate_lights_up_its_interaction(page: Page) -> None:
    page.locator("#m2-gate-plot .bars .point path").first.hover(force=True)
    expect(page.locator(".chip.lit")).to_have_attribute("data-at", "0")


def test_details_say_what_mattered_and_give_the_focus_back(page: Page) -> None:
    card = page.locator(".card-open").first
    card.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("row")).to_have_count(5)
    expect(dialog).to_contain_text("What in the history mattered")
    page.keyboard.press("Escape")
    expect(card).to_be_focused()


def test_a_pasted_list_lists_what_it_could_not_match(page: Page) -> None:
    page.get_by_role("button", name="Paste a list").click()
    page.get_by_role("textbox", name="Titles").fill("Grond coffee\nflying carpet\nHoney")
    page.get_by_role("button", name="Find these items").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 of 3 found, 1 not")
    expect(page.get_by_role("combobox", name="What flying carpet stands for")).to_be_visible()
    page.get_by_role("button", name="Make it the history").click()
    count(page, 2)
    assert chips(page) == ["Ground coffee", "Honey"]


def test_a_list_too_long_to_be_read_is_refused_and_not_sent(page: Page) -> None:
    sent: list[str] = []
    page.get_by_role("button", name="Paste a list").click()
    box = page.get_by_role("textbox", name="Titles")
    box.evaluate("box => (box.value = 'Honey\\n'.repeat(400000))")
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Find these items").click()
    message = page.get_by_role("dialog").get_by_role("status")
    expect(message).to_have_text("The list is longer than 2,000,000 characters: split it, or keep the newest part.")
    assert sent == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16", "utf-16-be"])
def test_a_file_is_read_in_the_encodings_that_spreadsheets_save(page: Page, encoding: str) -> None:
    titles = "Crème fraîche\nHoney – 2 €"
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    file = {"name": "mine.csv", "mimeType": "text/csv", "buffer": mark + titles.encode(encoding)}
    page.get_by_role("button", name="Paste a list").click()
    page.get_by_label("or a file").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_role("textbox", name="Titles")).to_have_value(titles)


def test_a_refusal_inside_the_dialog_is_announced_there(page: Page) -> None:
    page.get_by_role("button", name="Paste a list").click()
    page.get_by_role("button", name="Find these items").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("The list is empty")


def test_an_item_is_repeated_every_nth_time(page: Page) -> None:
    title = chips(page)[0]
    page.get_by_role("button", name="Repeat an item").click()
    page.get_by_role("combobox", name="Item", exact=True).select_option(label=title)
    page.get_by_role("spinbutton").fill("5")
    page.get_by_role("dialog").get_by_role("button", name="Repeat", exact=True).click()
    expect(page.locator(".reading")).to_contain_text(
        re.compile(rf"{re.escape(title)} comes next with|Likeliest next: {re.escape(title)}, with")
    )
    expect(page.locator(".reading")).to_contain_text("This person chooses it every 5th interaction and it is due now")


@pytest.mark.parametrize("compare", ["order shuffled", "no frequency branch", "popularity"])
def test_a_second_list_stands_beside_the_first(page: Page, compare: str) -> None:
    page.get_by_role("combobox", name="Compare with").select_option(label=compare)
    expect(page.get_by_role("list", name=compare.capitalize()).get_by_role("listitem")).to_have_count(10)


def test_a_link_restores_exactly_what_was_seen(page: Page, context: BrowserContext) -> None:
    page.get_by_role("combobox", name="Presets").select_option("taste")
    count(page, 20)
    page.get_by_role("checkbox", name="hide seen").check()
    expect(page.get_by_role("checkbox", name="hide seen")).to_be_checked()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_url("**/?s=*")
    titles = page.locator(".cards .title")
    seen = chips(page), titles.all_inner_texts()
    other = context.new_page()
    visit(other, page.url)
    assert (chips(other), other.locator(".cards .title").all_inner_texts()) == seen
    expect(other.get_by_role("checkbox", name="hide seen")).to_be_checked()


def test_a_damaged_link_says_so_and_shows_the_default(page: Page, address: str) -> None:
    visit(page, f"{address}?s=1.nonsense")
    expect(page.get_by_role("status", name="Message")).to_contain_text("This link is damaged")
    count(page, START)


@pytest.mark.parametrize(
    "name", ["Answer as JSON", "Recommendations as CSV", "Python that repeats this answer", "Gate as SVG"]
)
def test_what_is_seen_can_be_saved(page: Page, name: str) -> None:
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    assert download.value.suggested_filename.startswith("m2rec-")


def test_a_lost_server_is_said_and_nothing_is_lost(context: BrowserContext, address: str) -> None:
    page = context.new_page()  # not the strict one: the browser itself logs the lost connection
    visit(page, address)
    lost = "**/act"
    page.route(lost, lambda route: route.abort())
    page.get_by_role("button", name="Shuffle the history").click()
    expect(page.get_by_role("status", name="Message")).to_contain_text("nothing is lost")
    count(page, START)
    page.unroute(lost)
    page.get_by_role("button", name="Clear the history").click()
    count(page, 0)


def test_titles_are_shown_as_text_wherever_they_appear(page: Page) -> None:
    page.get_by_role("combobox", name="Search for an item to add").press_sequentially("loud")
    page.get_by_role("option", name="<b>Bold</b>").click()
    count(page, START + 1)
    page.get_by_role("combobox", name="Compare with").select_option("popularity")
    page.locator(".other").wait_for()
    assert page.locator(".m2 b", has_text="Bold").count() == 0


@pytest.mark.parametrize("section", ["Lessons", "Results", "Take the test", "Your own data", "About"])
def test_sections_open_below_and_close_again(page: Page, section: str) -> None:
    tab = page.get_by_role("tab", name=section)
    tab.click()
    expect(page.get_by_role("tabpanel", name=section)).to_be_visible()
    tab.click()
    expect(page.get_by_role("tabpanel")).to_have_count(0)


def test_a_lesson_opens_by_address_and_answers_live_with_other_controls_hidden(page: Page, address: str) -> None:
    visit(page, f"{address}?lesson=noise&class=1")
    lesson = page.get_by_role("region", name="Noise has a spectrum too")
    expect(page.get_by_role("button", name="Copy link")).to_have_count(0)
    lesson.get_by_role("button", name="Shuffle it").click()
    lesson.get_by_role("button", name="Show the answer").click()
    expect(lesson.get_by_role("status")).to_contain_text("as it was drawn")
    lesson.get_by_role("button", name="Leave the lesson").click()
    expect(lesson).to_have_count(0)


def test_the_race_is_drawn_live_and_described_in_words(page: Page) -> None:
    page.get_by_role("tab", name="Results").click()
    page.get_by_role("button", name="Start the race").click()
    expect(page.get_by_role("progressbar", name="Progress of the race")).to_be_visible()
    expect(page.get_by_role("button", name="Race again")).to_be_enabled()
    laps = page.get_by_role("region", name="Times of the race").get_by_role("row")
    assert laps.count() > 2
    expect(page.locator("[data-race-plot] .scatterlayer .trace")).to_have_count(5)  # three models and two guides
    expect(page.locator("#m2-race-words")).to_contain_text("One answer to")
    for name in ("PNG", "SVG"):
        with page.expect_download() as download:
            page.get_by_role("tabpanel").get_by_role("button", name=name).click()
        assert download.value.suggested_filename == f"m2rec-race.{name.lower()}"


def test_a_second_race_at_the_same_time_is_politely_refused(page: Page, context: BrowserContext, address: str) -> None:
    page.get_by_role("tab", name="Results").click()
    page.get_by_role("button", name="Start the race").click()
    expect(page.get_by_role("progressbar", name="Progress of the race")).to_be_visible()
    other = context.new_page()
    visit(other, address)
    other.get_by_role("tab", name="Results").click()
    other.get_by_role("button", name="Start the race").click()
    expect(other.get_by_role("status", name="Message")).to_contain_text("racing right now")
    expect(page.get_by_role("button", name="Race again")).to_be_enabled()


def test_only_a_history_with_dates_has_a_calendar(page: Page) -> None:
    calendar = page.get_by_role("img", name="Spectrum by the calendar")
    expect(calendar).to_be_hidden()
    page.get_by_role("combobox", name="Presets").select_option("calendar")
    expect(calendar.locator(".main-svg").first).to_be_visible()
    expect(page.locator(".reading")).to_contain_text("By the calendar a period of 7 days stands out")
    boxes = page.locator(".spectrum .plot").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
    assert boxes == sorted(boxes)
    for name in ("PNG", "SVG"):
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Calendar spectrum as {name}").click()
        assert download.value.suggested_filename == f"m2rec-calendar.{name.lower()}"
    page.get_by_role("button", name="Clear the history").click()
    expect(calendar).to_be_hidden()


def test_a_file_with_years_and_dates_becomes_a_dated_history(page: Page) -> None:
    rows = [f"2025-03-{day:02d},{'Ground coffee' if day % 4 == 0 else 'Bananas'},2001" for day in range(1, 25)]
    content = "\n".join(["date,title,year", *rows, "2025-03-25,Flying carpet,"]).encode()
    page.get_by_role("button", name="Paste a list").click()
    page.get_by_label("or a file").set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_role("textbox", name="Titles")).to_have_value(re.compile("^date,title,year"))
    page.get_by_role("button", name="Find these items").click()
    expect(page.get_by_role("dialog")).to_contain_text("24 of 25 found, 1 not, 25 with a date")
    page.get_by_role("combobox", name="What Flying carpet stands for").select_option(index=1)
    page.get_by_role("button", name="Make it the history").click()
    count(page, 25)
    expect(page.locator(".history")).to_contain_text("25 items on 25 dates")
    expect(page.get_by_role("img", name="Spectrum by the calendar")).to_be_visible()


def test_the_chips_at_the_hovered_period_are_ringed(page: Page) -> None:
    power = "document.querySelector('#m2-spectrum-plot').data[2].customdata"
    repeating: list[list[int]] = page.evaluate(power)
    at = max(range(len(repeating)), key=lambda index: len(repeating[index]))
    page.locator("#m2-spectrum-plot .scatterlayer .trace").nth(1).locator(".points path").nth(at).hover(force=True)
    expect(page.locator(".chip.beat")).to_have_count(len(repeating[at]))


def test_a_period_of_the_spectrums_table_is_ringed_in_the_history(page: Page) -> None:
    button = page.get_by_role("button", name="The spectrum as a table")
    button.click()
    table = page.get_by_role("dialog", name="The spectrum as a table")
    table.get_by_role("button", name=re.compile("^Show what repeats every")).nth(5).click()
    expect(page.locator("#m2-spectrum-plot .shapelayer path").first).to_be_attached()
    expect(table).to_be_hidden()
    expect(button).to_be_focused()


def test_the_gates_table_has_a_row_for_each_interaction(page: Page) -> None:
    page.get_by_role("button", name="The gate as a table").click()
    rows = page.get_by_role("dialog", name="The gate as a table").get_by_role("row")
    expect(rows).to_have_count(1 + len(chips(page)))


def test_moves_are_marked_against_the_answer_before(page: Page) -> None:
    assert page.locator(".moved").count() == 0
    page.get_by_role("button", name="Shuffle the history").click()
    expect(page.locator(".moved").first).to_be_visible()


def test_an_empty_history_says_what_to_do_next(page: Page) -> None:
    page.get_by_role("button", name="Clear the history").click()
    expect(page.locator(".history")).to_contain_text("Search an item above, choose a preset")
    expect(page.locator(".spectrum")).to_contain_text("A rhythm needs a history")
    expect(page.get_by_role("list", name="Recommendations").get_by_role("listitem")).to_have_count(10)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        here = page.evaluate("(({ ariaLabel, textContent }) => `${ariaLabel}|${textContent}`)(document.activeElement)")
        if name in here:
            return
    pytest.fail(f"The Tab key does not reach {name}.")


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    keys = page.keyboard
    tab_to(page, "Presets")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    start = 62  # interactions of the second preset
    count(page, start)
    tab_to(page, "Search for an item to add")
    keys.type("honey")
    expect(page.get_by_role("option", name="Honey Coffee & tea")).to_be_visible()
    keys.press("Enter")
    count(page, start + 1)
    for name, interactions in (("Undo", start), ("Redo", start + 1)):
        page.locator("#m2-search").focus()
        tab_to(page, name)
        keys.press("Enter")
        count(page, interactions)
    page.locator("#m2-search").focus()
    tab_to(page, "Shuffle the history")
    keys.press("Space")
    expect(page.locator(".moved").first).to_be_visible()
    tab_to(page, "Export")
    keys.press("Enter")
    tab_to(page, "Answer as JSON")
    with page.expect_download():
        keys.press("Enter")
    tab_to(page, "Repeat an item")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    tab_to(page, f"{start + 1}: ")
    keys.press("Alt+ArrowLeft")
    expect(page.locator(".chip-main").nth(start - 1)).to_be_focused()
    keys.press("Delete")
    count(page, start)
    tab_to(page, "Compare with")
    keys.press("ArrowDown")
    expect(page.locator(".other")).to_be_visible()
    tab_to(page, "show details")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("What in the history mattered")
    keys.press("Escape")
    tab_to(page, "Frequency weight")
    keys.press("End")
    expect(page.locator(".reading")).to_contain_text("Frequency: ▲100 % of that comes from rhythm")
    tab_to(page, "Lessons")
    keys.press("Enter")
    expect(page.get_by_role("tabpanel", name="Lessons")).to_be_visible()
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Start the race")).to_be_visible()
