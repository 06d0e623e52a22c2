"""The gate and the spectrum in words. Their charts are in `m2rec.ui.figures`, their tables in `tables`."""

from dataclasses import dataclass

from m2rec.ui.lessons.measures import asks_for_a_mark
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import (
    calendar_summary,
    gate_summary,
    named_themes,
    spectrum_summary,
    themes_summary,
)
from m2rec.ui.session.state import LONGEST_FOLD

ASKED = "The spectrum is hidden until you have put the marker where you expect it to be highest."
MUTED_WIDTH = 1.12  # a muted peak reaches from its period / 1.12 to its period × 1.12


@dataclass(frozen=True)
class Peak:
    """The strongest period, and the band around it that can be muted, in interactions."""

    period: float
    low: float
    high: float


def gate(context: PageContext) -> str:
    """The three weights as sliders."""
    name, theme = next(iter(named_themes(context.answer, context.world.theme_name).items()), ("", None))
    return render(
        "answer/gate.html.j2",
        gates=context.answer.gates,
        overridden=context.state.gate_override is not None,
        theme=theme,
        theme_name=name,
    )


def gate_below(context: PageContext) -> str:
    """A summary of the gate's chart for screen readers, and the button that opens its table."""
    said = gate_summary(context.answer), themes_summary(context.answer, context.world.theme_name)
    return render("answer/gate_below.html.j2", summary=" ".join(said))


def spectrum(context: PageContext) -> str:
    """The heading of the spectrum, with the muted bands."""
    found = None if asks_for_a_mark(context) else context.answer.spectrum
    strongest = found.significant[:1] if found else []
    peak = Peak(strongest[0], strongest[0] / MUTED_WIDTH, strongest[0] * MUTED_WIDTH) if strongest else None
    folds = peak is not None and peak.period <= LONGEST_FOLD and context.state.fold is None
    return render("answer/spectrum.html.j2", muted=context.state.band_mask, peak=peak, folds=folds)


def spectrum_words(context: PageContext) -> str:
    """What the spectrum shows, without the periods that are muted."""
    answer = context.answer
    return spectrum_summary(answer.spectrum, len(answer.history), context.wording, context.state.band_mask)


def spectrum_below(context: PageContext) -> str:
    """The legend, a summary of the chart, and the button that opens its table. Hidden while a lesson asks for it."""
    asked, found = asks_for_a_mark(context), context.answer.spectrum
    return render(
        "answer/spectrum_below.html.j2",
        summary=ASKED if asked else spectrum_words(context),
        has_plot=asked or bool(found and found.period),
        has_table=not asked and bool(found and found.period),
        calendar_summary="" if asked else calendar_summary(context.calendar),
    )
