"""The spectrum by the calendar: power against period in days."""

from m2rec.branches import EVIDENCE
from m2rec.recommend.explain.calendar import CalendarSpectrum
from m2rec.ui.figures.frame import HEADROOM, Figure, axis, chance_band, layout, log_range, peak_marks, peak_names

DAY_TICKS = (2, 3, 4, 5, 7, 10, 14, 21, 28, 42, 60)


def calendar_figure(found: CalendarSpectrum | None) -> Figure | None:
    """Power and the band of shuffled dates; None without a clock."""
    if found is None:
        return None
    colour = EVIDENCE["frequency"].colour
    top = 1.12 * max(*found.power, *found.threshold)
    peaks = found.peaks
    heights = [found.power[found.period.index(period)] for period in peaks]
    return {
        "data": [
            chance_band(found.period, found.threshold),
            {
                "type": "scatter",
                "name": "power",
                "x": found.period,
                "y": found.power,
                "mode": "lines+markers",
                "line": {"color": colour, "width": 2.4},
                "marker": {"color": colour, "size": 4},
                "hovertemplate": "every %{x} days: power %{y:.2f}<extra></extra>",
            },
            peak_marks(peaks, heights),
        ],
        "layout": layout(
            dragmode=False,
            annotations=peak_names(peaks, heights, [str(period) for period in peaks]),
            xaxis=axis(
                type="log",
                tickvals=[tick for tick in DAY_TICKS if tick <= found.period[-1]],
                ticktext=[str(tick) for tick in DAY_TICKS if tick <= found.period[-1]],
                title={"text": "period, in days by the calendar"},
                range=log_range(found.period[0], found.period[-1]),
            ),
            yaxis=axis(range=[0, top * 1.1], nticks=4),
            margin={"l": 44, "r": 8, "t": HEADROOM, "b": 36},
        ),
    }
