"""A scene as what the page receives: HTML for each region, the two figures, the session and its link."""

from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from m2rec.ui.figures.calendar import calendar_figure
from m2rec.ui.figures.gate import gate_figure
from m2rec.ui.figures.spectrum import spectrum_figure
from m2rec.ui.panels import cards, evidence, history, lesson, toolbar
from m2rec.ui.render.context import Scene
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import counted
from m2rec.ui.session.link import to_link

SECTIONS = (("lessons", "Lessons"), ("results", "Results"), ("own", "Your own data"), ("about", "About"))

REGIONS = {
    "choices": toolbar.choices,
    "tools": toolbar.tools,
    "lesson": lesson.current,
    "history": history.history,
    "reading": history.sentence,
    "cards": cards.cards,
    "gate": evidence.gate,
    "gate_data": evidence.gate_data,
    "spectrum": evidence.spectrum,
    "spectrum_data": evidence.spectrum_data,
}


def view(scene: Scene) -> dict[str, Any]:
    """Everything the page needs to show this scene, as JSON."""
    state, answer = scene.state, scene.answer
    return {
        "session": scene.session.model_dump(mode="json"),
        "link": to_link(state),
        "theme": state.theme,
        "html": {name: panel(scene) for name, panel in REGIONS.items()},
        "figures": {
            "spectrum": spectrum_figure(answer.spectrum, answer.history, state.band_mask, state.period),
            "gate": gate_figure(answer, scene.titles),
            "calendar": calendar_figure(scene.calendar),
        },
        "gates": answer.gates,
        "candidates": _candidates(scene),
        "ranking": [item.item_id for item in answer.items],
        "unread": len(state.history) - len(answer.history),
        "opening": _opening(scene),
    }


def _candidates(scene: Scene) -> list[dict[str, Any]]:
    """What the page answers from while the gate is dragged."""
    state = scene.state
    found = scene.worlds.candidates(state.world, state.history, state.k, state.exclude_seen, state.band_mask)
    return [asdict(one) for one in found]


def _opening(scene: Scene) -> dict[str, Any]:
    """The line that a first visitor reads, and what its buttons begin from."""
    count, voice = len(scene.state.history), scene.voice
    daily = voice.unit == "day"
    return {
        "what": f"A shopper's {count} days." if daily else f"A person's {counted(count, voice.unit)}.",
        "question": f"Can a model guess {f'day {count + 1}' if daily else 'the next'}, and say why?",
        "preset": scene.world.presets[0].key,
        "fold": history.suggested_fold(scene.answer.spectrum),
    }


def page(first: dict[str, Any]) -> str:
    """The whole page around the first view."""
    html = {
        name: Markup(text) for name, text in first["html"].items()
    }  # each region is already escaped by its template
    return render("page.html.j2", html=html, theme=first["theme"], sections=SECTIONS, opening=first["opening"])
