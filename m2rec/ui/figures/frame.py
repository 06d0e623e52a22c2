"""The look that all figures share.

Colours that depend on light or dark are written as CSS variables and resolved by the page, so a figure
is the same whatever the theme, and switching theme redraws nothing on the server.
"""

from collections.abc import Sequence
from math import log10
from typing import Any

from m2rec.branches import EVIDENCE
from m2rec.recommend.display.style import CHANCE

Figure = dict[str, Any]

HEADROOM = 18  # px above the axes for the name of a peak that reaches their top
ROOM = 0.09  # decades between two names, which on a phone do not touch then
INK, FAINT, GRID, PAPER = "var(--m2-ink)", "var(--m2-ink-2)", "var(--m2-grid)", "var(--m2-card)"


def axis(**own: Any) -> Figure:
    """An axis in the page's look; `own` are Plotly's settings, its title as {"text": …}."""
    title = own.pop("title", None)
    made: Figure = {
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": GRID,
        "ticks": "",
        "fixedrange": True,
        "automargin": False,
        **own,
    }
    if title:
        made["title"] = {**title, "font": {"size": 12, "color": FAINT}, "standoff": 4}
    return made


def log_range(low: float, high: float) -> list[float]:
    """The range of a logarithmic axis from `low` to `high`, with a little air."""
    return [log10(low * 0.93), log10(high * 1.07)]


def layout(**own: Any) -> Figure:
    """A layout in the page's look; `own` are Plotly's settings."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "autosize": True,
        "margin": {"l": 44, "r": 8, "t": 8, "b": 36},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": FAINT},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": GRID, "font": {"color": INK, "size": 13}},
        **own,
    }


def chance_band(period: Sequence[float], threshold: Sequence[float]) -> Figure:
    """The grey band below which 95 % of shuffled histories stay, as a trace."""
    return {
        "type": "scatter",
        "name": "95 % of shuffled histories stay below",
        "x": period,
        "y": threshold,
        "mode": "lines",
        "line": {"color": FAINT, "width": 1.2, "dash": "dot"},
        "fill": "tozeroy",
        "fillcolor": CHANCE,
        "hoverinfo": "skip",
    }


def peak_marks(period: Sequence[float], power: Sequence[float]) -> Figure:
    """What stands out of the band, marked, as a trace; `peak_names` says what it is."""
    return {
        "type": "scatter",
        "name": "peaks",
        "x": period,
        "y": power,
        "mode": "markers",
        "hoverinfo": "skip",
        "marker": {
            "symbol": "triangle-up",
            "size": 11,
            "color": EVIDENCE["frequency"].colour,
            "line": {"color": INK, "width": 1.2},
        },
        "cliponaxis": False,
    }


def peak_names(period: Sequence[float], power: Sequence[float], names: Sequence[str]) -> list[Figure]:
    """The periods of the marked peaks, as annotations of a logarithmic axis: the highest, with room between them."""
    named: list[int] = []
    for at in sorted(range(len(period)), key=lambda index: -power[index]):
        if all(abs(log10(period[at] / period[other])) >= ROOM for other in named):
            named.append(at)
    return [
        {
            "text": names[at],
            "x": log10(period[at]),
            "y": power[at],
            "yshift": 9,
            "yanchor": "bottom",
            "showarrow": False,
            "bgcolor": PAPER,  # over the curves, or it could not be read
            "borderpad": 0,
            "font": {"color": INK, "size": 13},
        }
        for at in sorted(named)
    ]
