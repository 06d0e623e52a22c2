"""The toolbar: world, presets, undo, redo, shuffle, clear, export, sharing."""

from functools import lru_cache
from typing import NamedTuple

from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render

EXPORTS = (
    ("json", "Answer as JSON"),
    ("csv", "Recommendations as CSV"),
    ("spectrum.png", "Spectrum as PNG"),
    ("spectrum.svg", "Spectrum as SVG"),
    ("gate.png", "Gate as PNG"),
    ("gate.svg", "Gate as SVG"),
    ("python", "Python that repeats this answer"),
)
CALENDAR_EXPORTS = (
    ("calendar.png", "Calendar spectrum as PNG"),
    ("calendar.svg", "Calendar spectrum as SVG"),
)

CACHED = 64  # rendered menus and toolbars, of which there are few different ones


class Choice(NamedTuple):
    """An entry of a menu."""

    key: str
    title: str
    about: str
    broken: bool = False


def choices(context: PageContext) -> str:
    """The world and preset menus."""
    worlds = tuple(Choice(one.name, one.title, one.about, one.error is not None) for one in context.worlds)
    presets = tuple(Choice(one.key, one.title, one.about) for one in context.world.presets)
    return _choices(worlds, context.world.name, context.world.about, presets, context.preset)


@lru_cache(maxsize=CACHED)
def _choices(
    worlds: tuple[Choice, ...], chosen: str, about: str, presets: tuple[Choice, ...], preset: str | None
) -> str:
    return render("choices.html.j2", worlds=worlds, chosen=chosen, about=about, presets=presets, preset=preset)


def tools(context: PageContext) -> str:
    """The buttons on the right."""
    session = context.session
    return _tools(
        bool(session.undo), bool(session.redo), min(len(session.state.history), 2), context.calendar is not None
    )


@lru_cache(maxsize=CACHED)
def _tools(undo: bool, redo: bool, items: int, dated: bool) -> str:
    """`items` is the length of the history, at most 2."""
    clock = CALENDAR_EXPORTS if dated else ()
    return render("tools.html.j2", undo=undo, redo=redo, items=items, exports=(*EXPORTS, *clock))
