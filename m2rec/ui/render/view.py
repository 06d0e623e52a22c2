"""A context as what the page receives: HTML for each region, the two figures, the session and its link."""

from math import ceil, floor
from typing import Any

from markupsafe import Markup

from m2rec.ui.figures.calendar import calendar_figure
from m2rec.ui.figures.gate import gate_figure
from m2rec.ui.figures.spectrum import asked_figure, spectrum_figure
from m2rec.ui.lessons.measures import asks_for_a_mark
from m2rec.ui.panels import cards, evidence, history, lesson, toolbar
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import counted
from m2rec.ui.session.link import to_link

SECTIONS = (
    ("lessons", "Lessons"),
    ("results", "Results"),
    ("test", "Take the test"),
    ("own", "Your own data"),
    ("about", "About"),
)

REGIONS = {
    "choices": toolbar.choices,
    "tools": toolbar.tools,
    "lesson": lesson.current,
    "history": history.history,
    "reading": history.sentence,
    "cards": cards.cards,
    "gate": evidence.gate,
    "gate_below": evidence.gate_below,
    "spectrum": evidence.spectrum,
    "spectrum_below": evidence.spectrum_below,
}


def view(context: PageContext) -> dict[str, Any]:
    """Everything the page needs to show this context, as JSON."""
    state, answer = context.state, context.answer
    asked = answer.spectrum if asks_for_a_mark(context) else None
    return {
        "session": context.session.model_dump(mode="json"),
        "link": to_link(state),
        "theme": state.theme,
        "html": {name: panel(context) for name, panel in REGIONS.items()},
        "figures": {
            "spectrum": asked_figure(asked)
            if asked
            else spectrum_figure(answer.spectrum, answer.history, state.band_mask, state.period),
            "gate": gate_figure(answer, context.titles),
            "calendar": None if asked else calendar_figure(context.calendar),
        },
        "asked": [ceil(asked.period[0]), floor(asked.period[-1])] if asked else None,  # where the marker may be put
        "gates": answer.gates,
        "candidates": _candidates(context),
        "ranking": [item.item_id for item in answer.items],
        "unread": len(state.history) - len(answer.history),
        "opening": _opening(context),
    }


def _candidates(context: PageContext) -> list[dict[str, Any]]:
    """The items that the page re-ranks while the gate is dragged."""
    state = context.state
    found = context.worlds.candidates(state.world, state.history, state.k, state.exclude_seen, state.band_mask)
    return [
        {"item_id": item_id, "title": title, "group": group, "branches": branches}
        for item_id, title, group, branches in found
    ]


def _opening(context: PageContext) -> dict[str, Any]:
    """The line that a first visitor reads, and what its buttons begin from."""
    count, wording = len(context.state.history), context.wording
    daily = wording.unit == "day"
    spectrum, first = context.answer.spectrum, context.world.presets[0]
    made_up = "" if daily or first.key == "person" else "made-up "
    return {
        "what": f"A {made_up}{wording.who}'s {counted(count, wording.unit)}.",
        "question": f"Can a model guess {f'day {count + 1}' if daily else 'the next'}, and say why?",
        "find": "Find the rhythm" if spectrum and spectrum.significant else "Look for a rhythm",
        "preset": first.key,
        "fold": history.suggested_fold(context.answer.spectrum),
    }


def page(first: dict[str, Any]) -> str:
    """The whole page around the first view."""
    html = {
        name: Markup(text) for name, text in first["html"].items()
    }  # each region is already escaped by its template
    return render("page.html.j2", html=html, theme=first["theme"], sections=SECTIONS, opening=first["opening"])
