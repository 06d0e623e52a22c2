"""The spectrum: power against period, in interactions."""

from collections.abc import Sequence
from itertools import pairwise
from math import log10

from m2rec.branches import EVIDENCE
from m2rec.recommend.answer import Spectrum
from m2rec.recommend.display.style import PERIOD_TICKS
from m2rec.ui.figures.frame import (
    FAINT,
    HEADROOM,
    INK,
    Figure,
    axis,
    chance_band,
    layout,
    log_range,
    peak_marks,
    peak_names,
)
from m2rec.ui.render.recurrence import occurrence_pairs, repeating
from m2rec.ui.render.words import KEPT, plain_period

LEAST_GAIN_END, HIGHEST_GAIN_END = 1.1, 1.6  # of the gain's axis; the gain itself ends at 1
MARGIN = {"l": 44, "r": 40, "t": HEADROOM, "b": 36}
ROUNDS = 3  # of a period in the history; below it, change is slow rather than rhythmic


def spectrum_figure(
    spectrum: Spectrum | None,
    history: Sequence[str],
    muted: Sequence[tuple[float, float]] = (),
    selected: float | None = None,
) -> Figure:
    """Power against period (log axis), the band of shuffled histories, the filter's gain, and what it keeps."""
    if spectrum is None or not spectrum.period:
        return {"data": [], "layout": layout(xaxis={"visible": False}, yaxis={"visible": False})}
    colour = EVIDENCE["frequency"].colour
    top = 1.12 * max(*spectrum.power, *spectrum.threshold, 1e-9)
    peaks = [spectrum.period.index(period) for period in spectrum.peaks]
    again = occurrence_pairs(history)
    hover = [_hover(spectrum, index) for index in range(len(spectrum.period))]
    data = [
        chance_band(spectrum.period, spectrum.threshold),
        {
            "type": "scatter",
            "name": "filter gain",
            "x": spectrum.period,
            "y": spectrum.filter_gain,
            "yaxis": "y2",
            "mode": "lines",
            "line": {"color": INK, "width": 1.4, "dash": "dash"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "name": "power",
            "x": spectrum.period,
            "y": spectrum.power,
            "mode": "lines+markers",
            "line": {"color": colour, "width": 2.4},
            "marker": {"color": colour, "size": 5},
            "text": hover,
            "hovertemplate": "%{text}<extra></extra>",
            "customdata": [repeating(again, period) for period in spectrum.period],
        },
        peak_marks([spectrum.period[index] for index in peaks], [spectrum.power[index] for index in peaks]),
    ]
    return {
        "data": data,
        "layout": layout(
            shapes=_shading(spectrum, len(history)) + _muted(muted) + _line(selected),
            annotations=[
                *peak_names(
                    [spectrum.period[index] for index in peaks],
                    [spectrum.power[index] for index in peaks],
                    [plain_period(spectrum.period[index]) for index in peaks],
                ),
                *(_note("muted", (start * stop) ** 0.5) for start, stop in muted),
            ],
            dragmode="select",
            selectdirection="h",
            xaxis=_period_axis(spectrum),
            yaxis=axis(range=[0, top * 1.1], nticks=4, title={"text": "power"}),
            yaxis2=axis(
                range=[0, _gain_end(spectrum, top * 1.1)],
                tickvals=[0, 0.5, 1],
                ticktext=["0", "½", "1"],
                title={"text": "gain"},
                overlaying="y",
                side="right",
                showgrid=False,
            ),
            margin=MARGIN,
        ),
    }


def _gain_end(spectrum: Spectrum, end: float) -> float:
    """Where the axis of the gain ends beside one of the power that ends at `end`: a full gain is as high as the highest
    peak, so that its line does not run through the peak's name above.
    """
    return (
        min(HIGHEST_GAIN_END, max(LEAST_GAIN_END, end / max(spectrum.power)))
        if spectrum.significant
        else LEAST_GAIN_END
    )


def asked_figure(spectrum: Spectrum) -> Figure:
    """The empty chart of a spectrum that a lesson asks for: its axes, and nothing of what it shows."""
    low, high = spectrum.period[0], spectrum.period[-1]
    line = {"color": FAINT, "width": 1.2, "dash": "dot"}
    return {
        "data": [
            {"type": "scatter", "x": [low, high], "y": [0, 0], "mode": "lines", "line": line, "hoverinfo": "skip"}
        ],
        "layout": layout(
            dragmode=False,
            xaxis=_period_axis(spectrum),
            yaxis=axis(range=[0, 1], showticklabels=False, title={"text": "power"}),
            margin=MARGIN,
        ),
    }


def _period_axis(spectrum: Spectrum) -> Figure:
    low, high = spectrum.period[0], spectrum.period[-1]
    ticks: list[float] = [tick for tick in PERIOD_TICKS if low <= tick <= high] or [low, high]
    return axis(
        type="log",
        tickvals=ticks,
        ticktext=[str(tick) for tick in ticks],
        title={"text": "period, in interactions"},
        range=log_range(low, high),
    )


def _hover(spectrum: Spectrum, index: int) -> str:
    power, level, gain = spectrum.power[index], spectrum.threshold[index], spectrum.filter_gain[index]
    verdict = "stands out" if power > level else "within chance"
    every = plain_period(spectrum.period[index])
    return f"every {every}: power {power:.2f}, chance {level:.2f} ({verdict}), gain {gain:.2f}"


def _shading(spectrum: Spectrum, length: int) -> list[Figure]:
    """Kept periods tinted, those of fewer than three rounds, slow change, in another tint; the rest is removed."""
    edges = _edges(spectrum.period)
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": edges[index],
            "x1": edges[index + 1],
            "y0": 0,
            "y1": 1,
            "line": {"width": 0},
            "layer": "below",
            "fillcolor": "rgba(86,180,233,0.16)" if period > length / ROUNDS else "rgba(230,159,0,0.17)",
        }
        for index, period in enumerate(spectrum.period)
        if spectrum.filter_gain[index] >= KEPT
    ]


def _edges(periods: Sequence[float]) -> list[float]:
    """Borders half way (on the log axis) between neighbouring periods."""
    middle = [(one * two) ** 0.5 for one, two in pairwise(periods)]
    return [periods[0] * 0.96, *middle, periods[-1] * 1.04]


def _muted(bands: Sequence[tuple[float, float]]) -> list[Figure]:
    return [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": low,
            "x1": high,
            "y0": 0,
            "y1": 1,
            "fillcolor": "rgba(128,134,145,0.35)",
            "line": {"color": INK, "width": 1, "dash": "dot"},
        }
        for low, high in bands
    ]


def _line(selected: float | None) -> list[Figure]:
    if selected is None:
        return []
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": selected,
            "x1": selected,
            "y0": 0,
            "y1": 1,
            "line": {"color": INK, "width": 1.5},
        }
    ]


def _note(text: str, period: float) -> Figure:
    return {
        "text": text,
        "x": log10(period),
        "xref": "x",
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "showarrow": False,
        "font": {"size": 12, "color": INK},
    }
