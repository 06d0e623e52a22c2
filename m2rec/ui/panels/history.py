"""The history as chips, one for each interaction, and its summary."""

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup

from m2rec.data.tables.times import EPOCH
from m2rec.recommend.answer import Invention, Spectrum
from m2rec.ui.lessons.measures import asks_for_a_mark
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.recurrence import repeats_at, repeats_in_column
from m2rec.ui.render.summary import reading
from m2rec.ui.render.templating import pieces, render
from m2rec.ui.render.what_if import what_if
from m2rec.ui.render.words import calendar_summary, fold_summary
from m2rec.ui.session.state import LONGEST_FOLD, State

CACHED_CHIPS = 4096  # of about a kilobyte each
WEEK = 7  # the suggested period for folding a history without a rhythm


class Chip(NamedTuple):
    """One item of the history. `key` stays the same when other items change, so the page can move the chip."""

    key: str
    item_id: str
    title: str
    ring: bool
    unread: bool
    invented: bool
    new: bool  # in this world's catalogue, but never seen in training
    unlike: bool  # invented, and similar to nothing in this world
    like: str  # what an invented item is similar to, in words
    day: str  # its date as text, or empty

    @property
    def label(self) -> str:
        """Title, date and kind, as a label."""
        kind = "invented" if self.invented else "new: the model has never seen it" if self.new else ""
        return ", ".join(part for part in (self.title, self.day, kind, self.like) if part)


def history(context: PageContext) -> str:
    """The chips. Those that repeat at the chosen period have a ring; those too old for the model to read are dimmed."""
    items = context.state.history
    unread = len(items) - len(context.answer.history)
    rings = _ringed(context.state)
    inventions = {one.text: one for one in context.answer.inventions}
    world, days = context.world, context.state.days
    known, never_seen = world.items, world.recommender.never_seen
    seen: dict[str, int] = {}
    chips, newest = [], len(items) - 1
    for at, item_id in enumerate(items):
        seen[item_id] = times = seen.get(item_id, 0) + 1
        item = known.get(item_id)
        title = item.title if item else world.named(item_id)
        invention = None if item else inventions.get(title)
        around = _rendered(
            f"{item_id}-{times}",
            item_id,
            title,
            at in rings,
            at < unread,
            item is None,
            item_id in never_seen,
            invention is not None and not invention.alike,
            _likeness(invention) if invention else "",
            _written(days[at]) if days else "",
        )
        # what changes as others come and go is filled in afterwards
        begin, tab, label, shown, action, end, close = around
        number, tabindex = at + 1, 0 if at == newest else -1
        chips.append(f"{begin}{at}{tab}{tabindex}{label}{number}{shown}{number}{action}{at}{end}{number}{close}")
    dates = len({day for day in context.state.days if day is not None})
    fold = context.state.fold
    return render(
        "history.html.j2",
        chips=Markup("\n".join(chips)),
        count=len(chips),
        unread=unread,
        wording=context.wording,
        dates=dates,
        about=next((one.about for one in context.world.presets if one.key == context.preset), ""),
        fold=fold,
        fold_words=fold_summary(items, fold, context.answer.spectrum, context.world.named) if fold else "",
        suggested=None if asks_for_a_mark(context) else suggested_fold(context.answer.spectrum),
        peaked=bool(context.answer.spectrum and context.answer.spectrum.significant),
    )


@lru_cache(maxsize=CACHED_CHIPS)
def _rendered(*fields: Any) -> tuple[str, ...]:
    """A chip's HTML around its place. Cached because a click leaves most chips of a page as they were."""
    return pieces("chip.html.j2", chip=Chip(*fields))


def _likeness(one: Invention) -> str:
    return f"like {', '.join(one.nearest)}" if one.alike else "like nothing here"


def suggested_fold(spectrum: Spectrum | None) -> int:
    """The strongest significant period by which the history can be folded, or a week."""
    peaks = spectrum.significant if spectrum else []
    return next((round(period) for period in peaks if period <= LONGEST_FOLD), WEEK)


def _ringed(state: State) -> set[int]:
    """Positions that repeat at the chosen period; in a folded history, those directly above or below the same item."""
    if state.fold:
        below = repeats_in_column(state.history, state.fold)
        return {place for at in below for place in (at - state.fold, at)}
    return set(repeats_at(state.history, state.period)) if state.period else set()


def _written(day: int | None) -> str:
    """A day since 1970 as 2025-03-31; empty if it is unknown or out of range."""
    try:
        return "" if day is None else date.fromordinal(EPOCH + day).isoformat()
    except (ValueError, OverflowError):
        return ""


def sentence(context: PageContext) -> str:
    """The summary, with numbers marked by their kind of evidence, and the model's notes.

    Empty while a lesson asks for the period that the summary would name.
    """
    if asks_for_a_mark(context):
        return ""
    state = context.state
    spans = reading(
        context.answer, context.titles, context.wording, state.gate_override is not None, state.exclude_seen
    )
    missing = context.world.missing_titles
    clock = calendar_summary(context.calendar)
    remarks = (
        *context.answer.notes,
        missing,
        f"{clock} The model reads the order alone, not the dates." if clock else "",
    )
    notes = [note for note in remarks if note]
    return render("answer/reading.html.j2", spans=spans, notes=notes, what_if=what_if(context))
