"""The race: milliseconds an answer against the length of the history, both axes logarithmic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

from m2rec.benchmark.speed.race import LENGTHS, Lap
from m2rec.ui.figures.frame import FAINT, INK, PAPER, Figure, axis, layout

GUIDE_FROM = 500  # items: guides to linear and quadratic growth start where fixed costs no longer hide it
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True)
class _Look:
    """The look of a curve: not the colours of the evidence, and never colour alone."""

    colour: str
    dash: str
    symbol: str


LOOKS = {
    "m2rec": _Look(INK, "solid", "circle"),
    "sasrec": _Look("#D55E00", "dash", "square"),
    "mamba4rec": _Look("#CC79A7", "dot", "diamond"),
}


def race_figure(laps: Sequence[Lap], names: Mapping[str, str]) -> Figure:
    """One curve a model; `names` maps the models to what they are called. Guides show linear and quadratic growth."""
    lengths = [lap.length for lap in laps]
    data = _guides(laps) + [
        {
            "type": "scatter",
            "name": name,
            "x": lengths,
            "y": [lap.milliseconds[model] for lap in laps],
            "mode": "lines+markers",
            "line": {"color": LOOKS[model].colour, "width": 2.4, "dash": LOOKS[model].dash},
            "marker": {
                "color": LOOKS[model].colour,
                "size": 8,
                "symbol": LOOKS[model].symbol,
                "line": {"color": PAPER, "width": 1},
            },
            "hovertemplate": f"{name}, %{{x:,}} items: %{{y:.2f}} ms<extra></extra>",
        }
        for model, name in names.items()
    ]
    times = [time for lap in laps for time in lap.milliseconds.values()] or [1, 10]
    return {
        "data": data,
        "layout": layout(
            margin={"l": 52, "r": 12, "t": 34, "b": 40},
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"color": INK, "size": 12}},
            dragmode=False,
            hovermode="closest",
            xaxis=axis(
                type="log",
                tickvals=list(LENGTHS),
                ticktext=[f"{length:,}" for length in LENGTHS],
                range=[log10(LENGTHS[0] * 0.85), log10(LENGTHS[-1] * 1.1)],
                title={"text": "items in the history"},
            ),
            yaxis=axis(
                type="log",
                tickvals=list(TICKS),
                ticktext=[f"{tick:g}" for tick in TICKS],
                range=[log10(min(times) * 0.75), log10(max(times) * 1.5)],
                title={"text": "milliseconds an answer"},
            ),
        ),
    }


def _guides(laps: Sequence[Lap]) -> list[Figure]:
    """From where the length begins to count: M2Rec's time if it grew as the history, SASRec's if as its square."""
    start = next((lap for lap in laps if lap.length == GUIDE_FROM), None)
    if start is None:
        return []
    lengths = [length for length in LENGTHS if length >= GUIDE_FROM]
    return [
        {
            "type": "scatter",
            "name": name,
            "x": lengths,
            "y": [start.milliseconds[model] * (length / GUIDE_FROM) ** power for length in lengths],
            "mode": "lines",
            "line": {"color": FAINT, "width": 1, "dash": dash},
            "hoverinfo": "skip",
        }
        for name, power, model, dash in (("linear", 1, "m2rec", "longdash"), ("quadratic", 2, "sasrec", "dashdot"))
    ]
