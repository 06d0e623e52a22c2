"""World, presets, undo, redo, shuffle, clear, sharing."""

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


def choices(context: PageContext) -> str:
    """The world and preset menus."""
    return render(
        "choices.html.j2",
        worlds=list(context.worlds),
        chosen=context.world.name,
        about=context.world.about,
        presets=context.world.presets,
        preset=context.preset,
    )


def tools(context: PageContext) -> str:
    """The buttons on the right."""
    clock = CALENDAR_EXPORTS if context.calendar else ()
    return render("tools.html.j2", session=context.session, exports=(*EXPORTS, *clock))
