"""The charts as tables, in the dialogs that their buttons "Data" open."""

from m2rec.branches import ORDERED
from m2rec.errors import InputError
from m2rec.ui.lessons.measures import asks_for_a_mark
from m2rec.ui.panels.evidence import spectrum_words
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import calendar_summary, percent, plain_period, themes_summary


def gate_table(context: PageContext) -> str:
    """The gate after each interaction that the model reads."""
    pairs = zip(context.answer.history, context.answer.gate_history, strict=False)
    return render(
        "dialogs/gate_table.html.j2",
        themes=themes_summary(context.answer, context.world.theme_name),
        rows=[
            (context.world.named(item_id), [percent(gates[kind.key]) for kind in ORDERED]) for item_id, gates in pairs
        ],
    )


def spectrum_table(context: PageContext) -> str:
    """Power, threshold and gain of each period, and the calendar's spectrum if there is one.

    Raises InputError while a lesson asks where the spectrum is highest.
    """
    if asks_for_a_mark(context):
        raise InputError("The spectrum is hidden until you have put the marker: its table is shown afterwards.")
    found, clock = context.answer.spectrum, context.calendar
    columns = zip(found.period, found.power, found.threshold, found.filter_gain, strict=True) if found else ()
    return render(
        "dialogs/spectrum_table.html.j2",
        summary=spectrum_words(context),
        rows=[
            (period, plain_period(period), f"{power:.2f}", f"{level:.2f}", f"{gain:.2f}", power > level)
            for period, power, level, gain in columns
        ],
        days=list(zip(clock.period, clock.power, clock.threshold, strict=True)) if clock else [],
        calendar_summary=calendar_summary(clock),
    )
