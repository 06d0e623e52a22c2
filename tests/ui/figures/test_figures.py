import json

import plotly.graph_objects as go
import pytest

from m2rec.branches import EVIDENCE
from m2rec.ui.figures.frame import peak_names
from m2rec.ui.figures.gate import gate_figure
from m2rec.ui.figures.spectrum import spectrum_figure
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.words import plain_period


def test_both_figures_are_ones_plotly_accepts_and_json_can_carry(page_context: PageContext) -> None:
    figures = [
        spectrum_figure(page_context.answer.spectrum, page_context.answer.history, muted=[(3, 4)], selected=7),
        gate_figure(page_context.answer, page_context.titles),
        spectrum_figure(None, []),
    ]
    for figure in figures:
        drawn = go.Figure(json.loads(json.dumps(figure, allow_nan=False)))  # raises on an unknown property
        assert [trace.type for trace in drawn.data] == [trace["type"] for trace in figure["data"]]


def test_the_spectrum_shows_every_period_with_its_chance_level_and_gain(page_context: PageContext) -> None:
    spectrum = page_context.answer.spectrum
    assert spectrum is not None
    traces = {trace["name"]: trace for trace in spectrum_figure(spectrum, page_context.answer.history)["data"]}
    assert traces["power"]["y"] == spectrum.power
    assert traces["95 % of shuffled histories stay below"]["y"] == spectrum.threshold
    gains = traces["filter gain"]["y"]
    assert [value / max(gains) for value in gains] == pytest.approx(
        [g / max(spectrum.filter_gain) for g in spectrum.filter_gain]
    )


def test_only_peaks_above_chance_are_named_and_each_once(page_context: PageContext) -> None:
    spectrum = page_context.answer.spectrum
    assert spectrum is not None
    flat = spectrum.model_copy(
        update={"power": [1.0] * len(spectrum.period), "threshold": [2.0] * len(spectrum.period)}
    )
    wide = flat.model_copy(update={"power": [1.0] * 5 + [3.0, 4.0, 3.0] + [1.0] * (len(spectrum.period) - 8)})
    assert spectrum_figure(flat, [])["data"][3]["x"] == []
    figure = spectrum_figure(wide, [])
    assert figure["data"][3]["x"] == [spectrum.period[6]]
    assert [note["text"] for note in figure["layout"]["annotations"]] == [plain_period(spectrum.period[6])]


def test_a_full_gain_is_drawn_no_higher_than_the_highest_peak_whose_name_stands_above(
    page_context: PageContext,
) -> None:
    spectrum = page_context.answer.spectrum
    assert spectrum is not None
    assert spectrum.significant
    layout = spectrum_figure(spectrum, page_context.answer.history)["layout"]
    ends = [layout[name]["range"][1] for name in ("yaxis", "yaxis2")]
    assert 1 / ends[1] <= max(spectrum.power) / ends[0] + 1e-9


def test_names_of_peaks_do_not_touch_and_the_highest_go_first() -> None:
    names = peak_names([7, 7.5, 14, 15, 40], [3, 9, 5, 2, 1], ["7", "7.5", "14", "15", "40"])
    assert [name["text"] for name in names] == ["7.5", "14", "40"]


def test_a_period_knows_which_interactions_repeat_at_it() -> None:
    from m2rec.recommend.answer import Spectrum

    found = Spectrum(period=[2, 3], power=[1, 5], threshold=[2, 2], filter_gain=[0, 1])
    power = spectrum_figure(found, ["a", "b", "c", "a", "d", "e"])["data"][2]
    assert power["customdata"] == [[], [0, 3]]


def test_what_is_muted_and_looked_at_is_drawn(page_context: PageContext) -> None:
    plain = spectrum_figure(page_context.answer.spectrum, [])["layout"]["shapes"]
    drawn = spectrum_figure(page_context.answer.spectrum, [], muted=[(6, 8)], selected=7)["layout"]["shapes"]
    assert [(shape["x0"], shape["x1"]) for shape in drawn[len(plain) :]] == [(6, 8), (7, 7)]


def test_the_gate_has_one_column_an_interaction_and_one_look_for_each_evidence(page_context: PageContext) -> None:
    bars = gate_figure(page_context.answer, page_context.titles)["data"]
    assert [len(bar["x"]) for bar in bars] == [27, 27, 27]
    for heights in zip(*(bar["y"] for bar in bars), strict=True):
        assert sum(heights) == pytest.approx(1)
    assert [bar["marker"]["color"] for bar in bars] == [kind.colour for kind in EVIDENCE.values()]
    assert len({bar["marker"]["pattern"]["shape"] for bar in bars}) == 3
