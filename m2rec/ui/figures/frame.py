"""The look that all figures share.

Colours that depend on light or dark are written as CSS variables and resolved by the page, so a figure
is the same whatever the theme, and switching theme redraws nothing on the server.
"""

from math import log10
from typing import Any

Figure = dict[str, Any]

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
        made["title"] = {**title, "font": {"size": 11, "color": FAINT}, "standoff": 4}
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
        "font": {"family": "system-ui, sans-serif", "size": 11, "color": FAINT},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": GRID, "font": {"color": INK, "size": 12}},
        **own,
    }
