"""World, presets, undo, redo, shuffle, clear, sharing."""

from m2rec.ui.render.context import Scene
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


def choices(scene: Scene) -> str:
    """The world and preset menus."""
    return render(
        "choices.html.j2",
        worlds=list(scene.worlds),
        chosen=scene.world.name,
        about=scene.world.about,
        presets=scene.world.presets,
        preset=scene.preset,
    )


def tools(scene: Scene) -> str:
    """The buttons on the right."""
    clock = CALENDAR_EXPORTS if scene.calendar else ()
    return render("tools.html.j2", session=scene.session, exports=(*EXPORTS, *clock))
