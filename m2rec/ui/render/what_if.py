"""One thing to try: a small change to the history, and what the first recommendation's probability then is.

The change is one action of the page, and the number is the model's own answer to the history after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log
from typing import Any

from m2rec.branches import BRANCHES
from m2rec.ui.render.context import PageContext, gate_of
from m2rec.ui.render.words import counted, percent
from m2rec.ui.session import actions
from m2rec.ui.session.state import State

SLIP = 2  # places that a recurring item is moved by: rhythms slip by one in real life, and the model tolerates that
NOTABLE = 0.2  # change of the log-probability, as with 80 % that becomes 65 %
NEGLIGIBLE = 0.05  # one that is not worth a sentence, as with 4.2 % that becomes 4.1 %


@dataclass(frozen=True)
class WhatIf:
    """`action` is what the page would send, `label` what it does, `before` and `after` the two probabilities."""

    action: dict[str, Any]
    label: str
    before: str
    after: str | None  # None where it is not among the first fifty any more


def what_if(context: PageContext) -> WhatIf | None:
    """The first of a few small changes that moves the first recommendation by `NOTABLE`, or the one that moves it most.

    None where no change moves it by more than `NEGLIGIBLE`.
    """
    if not context.answer.items or not context.answer.history:
        return None
    first = context.answer.items[0]
    before = percent(first.probability)
    best: tuple[float, WhatIf] | None = None
    for action, label, state in _changes(context):
        after = context.worlds.probability(
            state.world, state.history, first.item_id, gate_of(state), state.band_mask, state.exclude_seen
        )
        shown = percent(after) if after is not None else None
        moved = abs(log(after / first.probability)) if after and first.probability else inf
        if shown != before and moved >= NEGLIGIBLE and (best is None or moved > best[0]):
            best = moved, WhatIf(action, label, before, shown)
        if best and best[0] >= NOTABLE:
            break
    return best[1] if best else None


def _changes(context: PageContext) -> Iterator[tuple[dict[str, Any], str, State]]:
    """The most informative change for the largest contribution comes first. Each is made when it is asked for."""
    state, first = context.state, context.answer.items[0]
    newest = len(state.history) - 1
    lead = max(BRANCHES, key=lambda branch: first.contributions[branch])
    if lead == "temporal" and newest > 0:
        yield _move(state, newest, newest - 1, "Swap the last two")
    label = f"Remove the last, {context.world.named(state.history[newest])}"
    yield {"type": "remove", "at": newest}, label, actions.remove(state, newest)
    if lead == "frequency" and first.item_id in state.history:
        at = max(place for place, item in enumerate(state.history) if item == first.item_id)
        to = at + SLIP if at + SLIP <= newest else at - SLIP
        if to >= 0:
            step = counted(SLIP, "day" if context.wording.unit == "day" else "place")
            yield _move(state, at, to, f"Move the newest {first.title} by {step}")


def _move(state: State, at: int, to: int, label: str) -> tuple[dict[str, Any], str, State]:
    return {"type": "move", "at": at, "to": to}, label, actions.move(state, at, to)
