"""What a notebook makes of an answer, and what it may give as a history."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pyarrow as pa
import pytest

from m2rec.branches import BRANCHES, ORDERED
from m2rec.errors import InputError
from m2rec.recommend.answer import Answer
from m2rec.recommend.display import style
from m2rec.recommend.recommender import Recommender
from tests.places import ROOT

HISTORY = ["i00", "i08", "i16", "i21"] * 6
STYLES = ROOT / "m2rec" / "ui" / "static" / "m2rec.css"


@pytest.fixture(scope="module")
def answer(shop: Recommender) -> Answer:
    return shop.recommend(HISTORY, k=50)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_frame_has_a_row_for_each_item_and_a_column_for_each_contribution(answer: Answer) -> None:
    frame = answer.to_frame()
    assert list(frame.columns) == ["rank", "item_id", "title", "group", "probability", *BRANCHES]
    assert frame["item_id"].tolist() == [item.item_id for item in answer.items]
    np.testing.assert_allclose(frame[list(BRANCHES)].sum(axis=1), frame["probability"], rtol=1e-5)


def test_a_frame_of_nothing_has_the_same_columns(answer: Answer) -> None:
    empty = answer.model_copy(update={"items": []}).to_frame()
    assert list(empty.columns) == list(answer.to_frame().columns)
    assert len(empty) == 0


class Tags(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_notebook_shows_every_item_with_its_probability_and_the_gate(answer: Answer) -> None:
    shown = Tags(answer._repr_html_())
    assert shown.tags.count("tr") == len(answer.items) + 1
    for item in answer.items:
        assert item.title in shown.text
        assert f"{item.probability:.2%}" in shown.text
    for kind in ORDERED:
        assert f"{kind.name.lower()} {answer.gates[kind.key]:.1%}" in shown.text


def test_titles_notes_and_names_are_escaped(answer: Answer) -> None:
    hostile = '<img src=x onerror="alert(1)">'
    items = [item.model_copy(update={"title": hostile, "group": hostile}) for item in answer.items[:2]]
    shown = Tags(answer.model_copy(update={"items": items, "notes": [hostile], "world": hostile})._repr_html_())
    assert "img" not in shown.tags
    assert shown.text.count(hostile) == 6


# ── charts ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("chart", ["spectrum", "gate", "mixture"])
def test_every_chart_is_a_plotly_figure_with_a_title_axes_and_a_legend(answer: Answer, chart: str) -> None:
    figure = answer.figure(chart)
    assert isinstance(figure, go.Figure)
    assert "tiny-shop" in figure.layout.title.text
    assert figure.layout.xaxis.title.text
    assert figure.layout.showlegend
    assert all(trace.name for trace in figure.data)
    assert "var(--" not in figure.to_json()  # a variable of the page's style sheet means nothing elsewhere


def test_the_spectrum_is_the_answers(answer: Answer) -> None:
    assert answer.spectrum is not None
    drawn = {trace.name: trace for trace in answer.figure("spectrum").data}
    assert list(drawn["power"].y) == answer.spectrum.power
    assert list(drawn["chance (95 %)"].y) == answer.spectrum.threshold
    assert list(drawn["filter gain"].customdata) == answer.spectrum.filter_gain
    assert list(drawn["peaks"].x) == answer.spectrum.peaks
    assert 4.0 in answer.spectrum.peaks


def test_the_gate_is_stacked_to_one_at_every_interaction(answer: Answer) -> None:
    figure = answer.figure("gate")
    assert figure.layout.barmode == "stack"
    for trace, kind in zip(figure.data, ORDERED, strict=True):
        assert list(trace.y) == [row[kind.key] for row in answer.gate_history]
    np.testing.assert_allclose(np.sum([trace.y for trace in figure.data], axis=0), 1, rtol=1e-5)


def test_the_mixtures_bars_add_up_to_the_probabilities_best_item_on_top(answer: Answer) -> None:
    figure = answer.figure("mixture")
    total = np.sum([trace.x for trace in figure.data], axis=0)
    np.testing.assert_allclose(total, [item.probability for item in answer.items], rtol=1e-5)
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.ticktext[0] == answer.items[0].title


def test_markup_in_a_title_stays_text(shop: Recommender) -> None:
    labels = shop.recommend(HISTORY, k=50).figure("mixture").layout.yaxis.ticktext
    assert '&lt;b&gt;Bold&lt;/b&gt; &amp; "loud" nuts' in labels


def test_branches_have_the_pages_colours_and_patterns(answer: Answer) -> None:
    for chart in ("gate", "mixture"):
        for trace, kind in zip(answer.figure(chart).data, ORDERED, strict=True):
            assert (trace.marker.color, trace.marker.pattern.shape) == (kind.colour, kind.pattern)


def test_the_light_theme_is_that_of_the_style_sheet() -> None:
    light = STYLES.read_text("utf-8").partition(".m2 {")[2].split("}")[0]
    for name, value in (("ink", style.INK), ("ink-2", style.FAINT), ("grid", style.GRID), ("card", style.CARD)):
        assert re.search(rf"--m2-{name}: ({value});", light), name


@pytest.mark.parametrize(
    ("history", "chart", "message"),
    [
        (HISTORY, "gates", "figure must be spectrum, gate or mixture, not “gates”"),
        (["i00"] * 3, "spectrum", "This answer has no spectrum"),
        ([], "spectrum", "This answer has no spectrum"),
        ([], "gate", "no gate of an empty history"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_sentence(
    shop: Recommender, history: list[str], chart: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        shop.recommend(history).figure(chart)


def test_an_empty_history_has_a_mixture_all_the_same(shop: Recommender) -> None:
    assert len(shop.recommend([]).figure("mixture").data) == 3


def test_no_answer_needs_pandas_or_plotly() -> None:
    code = "import sys; import m2rec.recommend.answer; print({'pandas', 'plotly'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


# ── histories ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "given",
    [
        np.array(["i00", "i08", "7"]),
        np.array(["i00", "i08", 7], dtype=object),
        pd.Series(["i00", "i08", "7"], index=[5, 5, 9]),
        pd.Series(["i00", "i08", "7"], dtype="category"),
        pd.Index(["i00", "i08", "7"]),
        pa.array(["i00", "i08", "7"]),
        ["i00", "i08", np.int64(7)],
        ("i00", np.str_("i08"), np.uint8(7)),
    ],
    ids=lambda given: type(given).__name__,
)
def test_arrays_and_series_are_histories(shop: Recommender, given: Any) -> None:
    expected = shop.recommend(["i00", "i08", "7"])
    assert shop.recommend(given) == expected
    assert shop.start(given).answer().items == shop.start(["i00", "i08", "7"]).answer().items


def test_arrays_of_numbers_are_ids(shop: Recommender) -> None:
    assert shop.recommend(np.array([7, 7])).history == ["7", "7"]
    assert shop.recommend(pd.Series([7, 7])).history == ["7", "7"]


@pytest.mark.parametrize(
    "given",
    [np.array([["i00"]]), np.array("i00"), pd.DataFrame({"item": ["i00"]}), b"i00", {"i00": 1}, {"i00"}, np.int64(7)],
    ids=lambda given: type(given).__name__,
)
def test_what_is_no_list_of_items_is_refused(shop: Recommender, given: Any) -> None:
    with pytest.raises(InputError, match="history must be a list of titles or ids, oldest first"):
        shop.recommend(given)


def test_a_missing_value_in_a_series_is_named(shop: Recommender) -> None:
    with pytest.raises(InputError, match="An item is named by its title or id, not by float"):
        shop.recommend(pd.Series([7.0, np.nan]))
