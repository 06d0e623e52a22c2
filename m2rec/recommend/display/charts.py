"""The charts of an answer as Plotly figures, for notebooks and reports: the page's look, with titles and legends.

All raise InputError where there is nothing to draw.
"""

from collections.abc import Sequence
from math import log10
from typing import Any

import plotly.graph_objects as go

from m2rec.branches import EVIDENCE, ORDERED
from m2rec.errors import InputError
from m2rec.recommend.display.style import CARD, CHANCE, FAINT, GRID, INK, PATTERN, PERIOD_TICKS
from m2rec.recommend.parts import PerBranch, RankedItem, Spectrum
from m2rec.text_safety import printable

LONGEST_LABEL = 40  # characters of a title beside its bar
BAR_HEIGHT = 26  # pixels


def spectrum(found: Spectrum | None, world: str) -> go.Figure:
    """Power against period beside the band of shuffled histories and the gain of the model's filter."""
    if found is None or not found.period:
        raise InputError(
            "This answer has no spectrum: it takes a history of at least 6 items, and recommend(…, spectrum=True)."
        )
    colour = EVIDENCE["frequency"].colour
    top = 1.12 * max(*found.power, *found.threshold, 1e-9)
    peaks = found.peaks
    heights = [found.power[found.period.index(period)] for period in peaks]
    data = [
        go.Scatter(
            name="chance (95 %)",
            x=found.period,
            y=found.threshold,
            mode="lines",
            line={"color": FAINT, "width": 1.2, "dash": "dot"},
            fill="tozeroy",
            fillcolor=CHANCE,
        ),
        go.Scatter(
            name="filter gain",
            x=found.period,
            y=[top * gain for gain in found.filter_gain],
            customdata=found.filter_gain,
            mode="lines",
            line={"color": INK, "width": 1.4, "dash": "dash"},
            hovertemplate="period %{x}: gain %{customdata:.2f}<extra></extra>",
        ),
        go.Scatter(
            name="power",
            x=found.period,
            y=found.power,
            mode="lines+markers",
            line={"color": colour, "width": 2.4},
            marker={"size": 5},
            hovertemplate="period %{x}: power %{y:.2f}<extra></extra>",
        ),
        go.Scatter(
            name="peaks",
            x=peaks,
            y=heights,
            text=[f"{period:g}" for period in peaks],
            textposition="top center",
            mode="markers+text",
            marker={"symbol": "triangle-up", "size": 11, "color": colour, "line": {"color": INK, "width": 1.2}},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=bool(peaks),
        ),
    ]
    low, high = found.period[0], found.period[-1]
    ticks = [tick for tick in PERIOD_TICKS if low <= tick <= high]
    axis = _axis("period, in interactions", type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
    axis["range"] = [log10(low * 0.93), log10(high * 1.07)]
    return go.Figure(
        data, _layout(f"Spectrum of the history · {world}", xaxis=axis, yaxis=_axis("power", range=[0, 1.1 * top]))
    )


def gate(weights: Sequence[PerBranch], history: Sequence[str], world: str) -> go.Figure:
    """The three weights after every interaction, as stacked columns, oldest left."""
    if not weights:
        raise InputError("There is no gate of an empty history: choose something first.")
    count = len(weights)
    data = [
        go.Bar(
            name=kind.name,
            x=list(range(1, count + 1)),
            y=[row[kind.key] for row in weights],
            customdata=[printable(entry, LONGEST_LABEL) for entry in history],
            hovertemplate="after %{x}, %{customdata}: " + kind.name.lower() + " %{y:.1%}<extra></extra>",
            marker=_fill(kind.colour, kind.pattern),
        )
        for kind in ORDERED
    ]
    layout = _layout(
        f"Gate after each interaction · {world}",
        barmode="stack",
        bargap=0.12 if count < 80 else 0,
        xaxis=_axis("after interaction", range=[0.4, max(count, 8) + 0.6], showgrid=False, tickformat="d"),
        yaxis=_axis("weight", range=[0, 1], tickformat=".0%"),
    )
    return go.Figure(data, layout)


def mixture(items: Sequence[RankedItem], world: str) -> go.Figure:
    """What each branch contributes to the probability of each recommended item, best item on top."""
    ranks = [item.rank for item in items]
    data = [
        go.Bar(
            name=kind.name,
            orientation="h",
            x=[item.contributions[kind.key] for item in items],
            y=ranks,
            hovertemplate=kind.name.lower() + " %{x:.2%}<extra></extra>",
            marker=_fill(kind.colour, kind.pattern),
        )
        for kind in ORDERED
    ]
    names = [_label(printable(item.title, LONGEST_LABEL)) for item in items]
    layout = _layout(
        f"What comes next, and by which evidence · {world}",
        barmode="stack",
        height=150 + BAR_HEIGHT * max(len(ranks), 4),
        xaxis=_axis("probability", tickformat=".0%", rangemode="tozero"),
        yaxis=_axis("", autorange="reversed", tickvals=ranks, ticktext=names, automargin=True, showgrid=False),
    )
    return go.Figure(data, layout)


def _label(text: str) -> str:
    """Text for a chart: Plotly takes some tags for its own, and they are no part of a title."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fill(colour: str, pattern: str) -> dict[str, Any]:
    """A branch's colour and pattern, as on the page."""
    return {"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern, **PATTERN}}


def _axis(title: str, **own: Any) -> dict[str, Any]:
    """An axis in the page's look; `own` are Plotly's settings."""
    return {"title": {"text": title, "standoff": 8}, "gridcolor": GRID, "linecolor": GRID, "zeroline": False, **own}


def _layout(title: str, **own: Any) -> dict[str, Any]:
    """A layout in the page's look by day; `own` are Plotly's settings."""
    return {
        "title": {"text": _label(title), "font": {"size": 15, "color": INK}},
        "paper_bgcolor": CARD,
        "plot_bgcolor": CARD,
        "margin": {"l": 56, "r": 16, "t": 52, "b": 48},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": FAINT},
        "hoverlabel": {"bgcolor": CARD, "bordercolor": GRID, "font": {"color": INK}},
        "showlegend": True,
        # below the chart, however many rows it takes: Plotly makes room for it there
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        **own,
    }
