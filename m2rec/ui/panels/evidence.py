"""Why: the gate and the spectrum, their words and their tables. The charts themselves are in `m2rec.ui.figures`."""

from dataclasses import dataclass

from m2rec.branches import ORDERED
from m2rec.ui.lessons.measures import asks_for_a_mark
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import (
    calendar_summary,
    gate_summary,
    percent,
    plain_period,
    spectrum_summary,
    themes_summary,
)
from m2rec.ui.session.state import LONGEST_FOLD

ASKED = "The spectrum is hidden until you have put the marker where you expect it to be highest."
MUTED_WIDTH = 1.12  # a muted peak reaches from its period / 1.12 to its period × 1.12


@dataclass(frozen=True)
class Peak:
    """The strongest period and the band around it that its button mutes, in interactions."""

    period: float
    low: float
    high: float


def gate(context: PageContext) -> str:
    """The three weights as sliders."""
    theme = next(iter(context.answer.themes), None)
    return render(
        "answer/gate.html.j2",
        gates=context.answer.gates,
        overridden=context.state.gate_override is not None,
        theme=theme,
        theme_name=context.world.theme_name(theme.items) if theme else "",
    )


def gate_data(context: PageContext) -> str:
    """The gate along the history in words and as a table."""
    pairs = zip(context.answer.history, context.answer.gate_history, strict=False)
    rows = [
        (context.world.named(item_id), [percent(gates[kind.key]) for kind in ORDERED])  # as text: a filter takes longer
        for item_id, gates in pairs
    ]
    return render(
        "answer/gate_data.html.j2",
        summary=gate_summary(context.answer),
        themes=themes_summary(context.answer, context.world.theme_name),
        rows=rows,
    )


def spectrum(context: PageContext) -> str:
    """The heading of the spectrum with what is muted."""
    found = None if asks_for_a_mark(context) else context.answer.spectrum
    strongest = found.significant[:1] if found else []
    peak = Peak(strongest[0], strongest[0] / MUTED_WIDTH, strongest[0] * MUTED_WIDTH) if strongest else None
    folds = peak is not None and peak.period <= LONGEST_FOLD and context.state.fold is None
    return render("answer/spectrum.html.j2", muted=context.state.band_mask, peak=peak, folds=folds)


def spectrum_data(context: PageContext) -> str:
    """The spectrum in words and as a table, and the calendar's where there is one; not while a lesson asks for it."""
    if asks_for_a_mark(context):
        return render(
            "answer/spectrum_data.html.j2", summary=ASKED, rows=[], has_plot=True, days=[], calendar_summary=""
        )
    found = context.answer.spectrum
    columns = zip(found.period, found.power, found.threshold, found.filter_gain, strict=True) if found else ()
    rows = [
        (period, plain_period(period), f"{power:.2f}", f"{level:.2f}", f"{gain:.2f}", power > level)
        for period, power, level, gain in columns
    ]
    summary = spectrum_summary(found, len(context.answer.history), context.wording)
    clock = context.calendar
    days = list(zip(clock.period, clock.power, clock.threshold, strict=True)) if clock else []
    return render(
        "answer/spectrum_data.html.j2",
        summary=summary,
        rows=rows,
        has_plot=bool(rows),
        days=days,
        calendar_summary=calendar_summary(clock),
    )
