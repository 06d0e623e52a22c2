"""The dialogs: a recommendation's details, repeating an item, pasting a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

from m2rec.branches import EVIDENCE
from m2rec.errors import InputError
from m2rec.recommend.answer import RankedItem
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.what_if import NEGLIGIBLE
from m2rec.ui.render.words import percent
from m2rec.ui.session.paste import LONGEST_TEXT, TOO_LONG, Match

MATTERED = 6  # history items with the largest influence that are shown, where it is not negligible


@dataclass(frozen=True)
class Influence:
    """A history item, and what leaving it out would change. `width` is in per cent of the largest change."""

    position: int
    title: str
    said: str
    helped: bool
    width: float


def details(context: PageContext, item_id: str) -> str:
    """The three contributions to a recommendation, and the history items with the largest influence on it.

    Raises InputError when the item is not recommended any more.
    """
    item = next((item for item in context.answer.items if item.item_id == item_id), None)
    if item is None:
        raise InputError("This item is not among the recommendations any more: choose one of those shown.")
    lead = max(item.contributions, key=lambda name: item.contributions[name])
    return render(
        "dialogs/details.html.j2",
        item=item,
        lead=EVIDENCE[lead],
        gates=context.answer.gates,
        influences=_influences(context, item),
        weighed=bool(context.answer.history),  # an empty history has no influences
    )


def _influences(context: PageContext, item: RankedItem) -> list[Influence]:
    answer = context.answer
    if len(answer.history) < 2:
        return []
    state = context.state
    changes = context.worlds.influence(  # one a position
        state.world, state.history, item.item_id, context.gate_override, state.band_mask
    )
    newest = {entry: position for position, entry in enumerate(answer.history)}  # the same at all its positions
    order = sorted(newest.values(), key=lambda position: -abs(changes[position]))[:MATTERED]
    order = [position for position in order if abs(changes[position]) >= NEGLIGIBLE]
    largest = max((abs(changes[position]) for position in order), default=1.0)
    unread = len(state.history) - len(answer.history)
    return [
        Influence(
            position=unread + position + 1,
            title=context.world.named(answer.history[position]),
            said=_without(changes[position]),
            helped=changes[position] > 0,
            width=100 * abs(changes[position]) / largest,
        )
        for position in order
    ]


def _without(change: float) -> str:
    """How the probability would change without the item, in words."""
    factor = exp(-change)
    return f"{percent(1 - factor)} less likely without it" if change > 0 else f"{factor:.1f} times as likely without it"


def repeat(context: PageContext) -> str:
    """The form that puts an item at every n-th position."""
    ids = dict.fromkeys([*context.state.history, *(item.item_id for item in context.answer.items)])
    items = [{"item_id": item_id, "title": context.world.named(item_id)} for item_id in ids]
    return render("dialogs/repeat.html.j2", items=items, longest=len(context.state.history), unit=context.wording.unit)


def paste(context: PageContext) -> str:
    """The form for a list of titles."""
    example = [item.title for item in list(context.world.items.values())[:3]]
    return render("dialogs/paste.html.j2", example=example, longest=LONGEST_TEXT, too_long=TOO_LONG)


def matches(found: list[Match], notes: Sequence[str] = ()) -> str:
    """How a pasted list was read, with unmatched entries first. `notes` say what was done with it."""
    missing = [match for match in found if match.item is None]
    dated = sum(match.day is not None for match in found)
    matched = [match for match in found if match.item is not None]
    return render("dialogs/matches.html.j2", found=found, missing=missing, matched=matched, dated=dated, notes=notes)
