import re
from dataclasses import replace

import pytest

from m2rec.recommend.answer import Invention, Theme
from m2rec.ui.panels import cards, evidence, history, tables
from m2rec.ui.render.comparison import COMPARISONS
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.templating import render
from m2rec.ui.render.view import REGIONS, page, view
from m2rec.ui.session.state import Session

LOUD = "i45"  # its title holds every character that HTML and JavaScript care about


def with_state(page_context: PageContext, **changes: object) -> PageContext:
    state = page_context.state.replace(**changes)
    return replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))


@pytest.mark.parametrize("name", REGIONS)
def test_no_title_reaches_a_panel_unescaped(page_context: PageContext, name: str) -> None:
    loud = with_state(page_context, history=(LOUD,) * 9, compare="shuffled")
    html = REGIONS[name](loud)
    assert "<b>Bold" not in html
    assert '& "loud"' not in html


def test_each_interaction_is_one_chip_in_order(page_context: PageContext) -> None:
    html = history.history(page_context)
    titles = re.findall(r'class="chip-main"[^>]*aria-label="(\d+): ([^"]+)"', html)
    assert titles == [
        (str(at), page_context.world.named(item)) for at, item in enumerate(page_context.state.history, start=1)
    ]


def test_chips_that_repeat_at_the_chosen_period_are_ringed(page_context: PageContext) -> None:
    ringed = re.findall(r'class="chip  ring [^>]*data-at="(\d+)"', history.history(with_state(page_context, period=7)))
    assert [int(at) for at in ringed] == [6, 13, 20]


def test_a_chip_shows_typed_text_with_any_characters(page_context: PageContext) -> None:
    typed = "~%(at)d of 100 % {at} <b> %s"
    shown = with_state(page_context, history=("i00", typed, typed))
    html = history.history(shown)
    written = "%(at)d of 100 % {at} &lt;b&gt; %s"
    assert html.count(f"<bdi>{written}</bdi>") == 2
    for number in (2, 3):
        assert f'aria-label="{number}: {written}, invented' in html
        assert f'id="chip-~{written}-{number - 1}" data-at="{number - 1}"' in html


def test_interactions_beyond_the_models_reach_are_marked_and_said(page_context: PageContext) -> None:
    html = history.history(with_state(page_context, history=("i00",) * 203))
    assert html.count('class="chip unread') == 3
    assert "the model reads the newest 200" in html


def test_the_three_widths_of_a_bar_add_up_to_its_probability(page_context: PageContext) -> None:
    items = page_context.answer.items
    bars = re.findall(r'<span class="bar".*?</span>', cards.cards(page_context), flags=re.S)
    assert len(bars) == len(items)
    for bar, item in zip(bars, items, strict=True):
        widths = [float(width) for width in re.findall(r"width:([\d.]+)%", bar)]
        assert sum(widths) == pytest.approx(100 * item.probability / items[0].probability, abs=0.01)


def test_moves_are_marked_against_the_answer_before(page_context: PageContext) -> None:
    ranking = [item.item_id for item in page_context.answer.items]
    before = (ranking[1], ranking[0], *ranking[2:-1])
    html = cards.cards(replace(page_context, before=before))
    assert re.findall(r'class="moved (\w+)">([^<]+)<', html) == [("up", "▲1"), ("down", "▼1"), ("new", "from below")]
    assert "moved" not in cards.cards(page_context)


@pytest.mark.parametrize("compare", [key for key, _ in COMPARISONS])
def test_every_comparison_gives_a_second_list(page_context: PageContext, compare: str) -> None:
    html = cards.cards(with_state(page_context, compare=compare, k=5))
    assert len(re.findall(r"<li class=\"card \w*\"", html)) == 5
    assert re.search(r"In both lists: \d of 5\.", html)


def test_a_template_without_a_value_raises_an_error() -> None:
    with pytest.raises(Exception, match="undefined"):
        render("answer/gate.html.j2")


def test_the_page_has_every_region(page_context: PageContext) -> None:
    html = page(view(page_context))
    assert set(re.findall(r'data-region="(\w+)"', html)) == set(REGIONS)


def test_the_gate_names_the_strongest_theme_and_escapes_its_titles(page_context: PageContext) -> None:
    assert 'class="taste"' not in evidence.gate(page_context)
    themes = [Theme(share=0.54, items=["<b>Oat</b> milk", "Tofu"])]
    believing = replace(page_context, answer=page_context.answer.model_copy(update={"themes": themes}))
    html = evidence.gate(believing)
    assert "taste: things like &lt;b&gt;Oat&lt;/b&gt; milk, Tofu · 54 %" in html
    assert "54 % things like &lt;b&gt;Oat&lt;/b&gt; milk, Tofu" in tables.gate_table(believing)


def test_the_popularity_list_is_the_answer_to_an_empty_history(page_context: PageContext) -> None:
    compared_with = cards.cards(with_state(page_context, compare="popularity", k=5))
    empty = with_state(page_context, history=(), k=5)
    other = compared_with[compared_with.index('class="other"') :]
    assert re.findall(r'class="title" dir="auto">([^<]+)<', other) == [item.title for item in empty.answer.items]


def test_an_invented_chip_names_similar_items_and_is_marked_if_there_are_none(
    page_context: PageContext,
) -> None:
    found = [
        Invention(text="<i>jam</i>", alike=True, similarity=0.6, nearest=["Honey", "Lemons"]),
        Invention(text="qwertyuiop", alike=False, similarity=0.2, nearest=["Flour"]),
    ]
    state = page_context.state.replace(history=("i00", "~<i>jam</i>", "~qwertyuiop"))
    answer = page_context.answer.model_copy(update={"inventions": found})
    html = history.history(replace(page_context, session=Session(state=state), answer=answer))
    assert 'title="&lt;i&gt;jam&lt;/i&gt;, invented, like Honey, Lemons"' in html
    assert 'aria-label="3: qwertyuiop, invented, like nothing here"' in html
    assert html.count(" unlike") == 1


def test_the_opening_promises_a_rhythm_only_if_the_spectrum_has_one(page_context: PageContext) -> None:
    assert ">Find the rhythm<" in page(view(page_context))
    assert ">Look for a rhythm<" in page(view(with_state(page_context, history=("i00", "i11", "i22", "i33", "i44"))))


def test_a_folded_history_that_is_cleared_has_nothing_to_fold(page_context: PageContext) -> None:
    assert "data-fold " in history.history(with_state(page_context, fold=7))
    empty = history.history(with_state(page_context, fold=7, history=()))
    assert "data-fold " not in empty
    assert "Unfold" not in empty
