"""The history as chips, one an interaction, and the one sentence that reads it."""

from collections import Counter
from dataclasses import dataclass

from m2rec.ui.reading import reading
from m2rec.ui.rhythm import repeats_at
from m2rec.ui.scene import Scene
from m2rec.ui.templating import render


@dataclass(frozen=True)
class Chip:
    """`key` stays with an item as others come and go, so the page can move it instead of redrawing it."""

    key: str
    item_id: str
    title: str
    ring: bool
    unread: bool
    invented: bool


def history(scene: Scene) -> str:
    """The chips; those that repeat at the chosen period are ringed, those beyond the model's reach are dimmed."""
    items = scene.state.history
    unread = len(items) - len(scene.answer.history)
    rings = set(repeats_at(items, scene.state.period)) if scene.state.period else set()
    seen: Counter[str] = Counter()
    chips = []
    for position, item_id in enumerate(items):
        seen[item_id] += 1
        chips.append(
            Chip(
                key=f"{item_id}-{seen[item_id]}",
                item_id=item_id,
                title=scene.world.named(item_id),
                ring=position in rings,
                unread=position < unread,
                invented=item_id not in scene.world.items,
            )
        )
    return render("history.html.j2", chips=chips, unread=unread, unit=scene.world.voice.unit)


def sentence(scene: Scene) -> str:
    """The reading, its numbers marked by the evidence they come from, and the notes of the model."""
    spans = reading(scene.answer, scene.titles, scene.world.voice, scene.state.gate_override is not None)
    missing = scene.world.missing_titles
    notes = [*scene.answer.notes, missing] if missing else scene.answer.notes
    return render("reading.html.j2", spans=spans, notes=notes)
