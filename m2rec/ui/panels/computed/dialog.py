"""The whole dialog, for one item after the first n items of the visitor's history."""

from dataclasses import dataclass

from m2rec.branches import EVIDENCE, ORDERED
from m2rec.errors import InputError
from m2rec.inference.terms.due import DueTerms
from m2rec.inference.terms.tastes import ThemeTerms
from m2rec.recommend.explain.computation import Computation
from m2rec.text_safety import quoted
from m2rec.ui.panels.computed.columns import MOST_COLUMNS, days_of
from m2rec.ui.panels.computed.frequency import Rhythm, due, filtered
from m2rec.ui.panels.computed.gate import mixture
from m2rec.ui.panels.computed.semantic import Meaning, means, themes
from m2rec.ui.panels.computed.temporal import order
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.summary import Span
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import percent


@dataclass(frozen=True)
class Then:
    """The item that came next in the history."""

    title: str
    own: bool


def computed(context: PageContext, item_id: str, day: int | None) -> str:
    """How the item's probability was computed after `day` items of the history, or after all for None.

    Raises InputError for an unknown item and for an empty history.
    """
    history = context.state.history
    if item_id not in context.world.items:
        raise InputError(f"{quoted(item_id)} is not an item of {context.world.title}: choose one that is shown.")
    if not history:
        raise InputError("Nothing has been chosen yet, so nothing was weighed: add an item to the history first.")
    at = len(history) if day is None else min(max(day, 1), len(history))
    found = context.worlds.computation(
        context.world.name, history[:at], item_id, context.state.gate_override, context.state.band_mask
    )
    days = days_of(context, found, at)
    columns = len(days)
    layers = len(context.world.recommender.inference.temporal.layers)
    return render(
        "computed.html.j2",
        item=found.item,
        days=days,
        columns=columns,
        at=at,
        count=len(history),
        earlier=at - columns,
        shown=MOST_COLUMNS,
        spans=_sentence(found),
        then=_then(context, item_id, at),
        hidden=found.seen and context.state.exclude_seen,
        rhythm=_rhythm(context, found, columns),
        periodic=isinstance(found.terms.frequency, DueTerms),
        order=order(found, found.terms.temporal, days[-1].title, columns, layers) if found.terms.temporal else None,
        meaning=_meaning(context, found, columns),
        mixture=mixture(found, columns, context.state.gate_override is not None),
        branches=found.branches,
        unit=context.wording.unit,
    )


def _sentence(found: Computation) -> list[Span]:
    spans = [Span("Likely to come next with "), Span(percent(found.probability)), Span(": ")]
    parts = sorted(ORDERED, key=lambda kind: -found.contributions[kind.key])
    for place, kind in enumerate(parts):
        spans.append(Span("" if place == 0 else ", " if place == 1 else " and "))
        spans.append(Span(percent(found.contributions[kind.key]), kind.key))
        spans.append(Span(f" from {EVIDENCE[kind.key].plain}"))
    return [*spans, Span(".")]


def _then(context: PageContext, item_id: str, at: int) -> Then | None:
    history = context.state.history
    return Then(context.world.named(history[at]), history[at] == item_id) if at < len(history) else None


def _rhythm(context: PageContext, found: Computation, columns: int) -> Rhythm | None:
    terms = found.terms.frequency
    if terms is None:
        return None
    if isinstance(terms, DueTerms):
        return due(terms, context.world.recommender.inference.kernels, columns)
    return filtered(terms, columns)


def _meaning(context: PageContext, found: Computation, columns: int) -> Meaning | None:
    terms, world = found.terms.semantic, context.world
    if terms is None:
        return None
    titles = [world.named(entry) for entry in found.history]
    if isinstance(terms, ThemeTerms):
        recommender = world.recommender
        names = [world.theme_name([recommender.catalogue[one].title for one in items]) for items in recommender.typical]
        return themes(terms, names, titles[-1], columns)
    return means(terms, titles, columns)
