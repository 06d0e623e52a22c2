import json
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from m2rec.recommend.explain.calendar import CalendarSpectrum
from m2rec.ui.figures.calendar import calendar_figure
from m2rec.ui.panels import history, tables, toolbar
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.view import view
from m2rec.ui.render.words import calendar_summary
from m2rec.ui.session.state import Session

FOUND = CalendarSpectrum([2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 3, 5, 1], [2.0] * 7, dates=40, span=90)


@pytest.fixture
def dated(page_context: PageContext) -> PageContext:
    """The preset whose rhythm only its dates show."""
    chosen = page_context.world.preset("calendar")
    state = page_context.state.replace(history=chosen.history, days=chosen.days)
    return replace(page_context, session=Session(state=state), answer=ask(page_context.worlds, state))


def test_a_history_without_dates_has_no_calendar_anywhere(page_context: PageContext) -> None:
    assert view(page_context)["figures"]["calendar"] is None
    assert "calendar" not in history.sentence(page_context)
    assert "Calendar" not in toolbar.tools(page_context)


def test_a_dated_history_shows_its_weeks_in_figure_words_table_and_exports(dated: PageContext) -> None:
    figure = view(dated)["figures"]["calendar"]
    go.Figure(json.loads(json.dumps(figure, allow_nan=False)))
    found = dated.calendar
    assert found is not None
    assert 7 in found.peaks
    assert figure["data"][2]["x"] == found.peaks
    assert calendar_summary(found) in history.sentence(dated)
    assert tables.spectrum_table(dated).count("<caption>") == 2
    assert "Calendar spectrum as PNG" in toolbar.tools(dated)


def test_dated_interactions_are_not_called_days(dated: PageContext) -> None:
    html = history.history(dated)
    assert f"{len(dated.state.history)} items on {len(dated.state.history)} dates" in html
    assert ", 2025-01-06" in html  # the first of them, written out


def test_a_wide_peak_is_named_once_in_words_and_figure() -> None:
    assert FOUND.significant == [7, 6]
    assert calendar_summary(FOUND) == (
        "By the calendar a period of 7 days stands out from what the same 40 dates give when the choices are shuffled."
    )
    figure = calendar_figure(FOUND)
    assert figure is not None
    assert figure["data"][2]["x"] == [7]
    assert figure["layout"]["margin"]["t"] >= figure["layout"]["annotations"][0]["font"]["size"]  # else it is cut off


def test_no_peak_is_said_to_be_none_and_no_clock_to_be_nothing() -> None:
    quiet = replace(FOUND, power=[1.0] * 7)
    assert calendar_summary(quiet).startswith(
        "By the calendar no period of days stands out from what the same 40 dates"
    )
    assert calendar_summary(None) == ""
