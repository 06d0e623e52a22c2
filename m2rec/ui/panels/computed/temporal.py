"""Temporal: how much of each past item is left in the memories, and which items the newest one makes likely."""

from dataclasses import dataclass

from m2rec.inference.terms.memories import TemporalTerms
from m2rec.recommend.explain.computation import Computation
from m2rec.ui.panels.computed.calculation import Line, of_score
from m2rec.ui.panels.computed.columns import Strip, bars
from m2rec.ui.render.words import percent


@dataclass(frozen=True)
class Called:
    """An item that the newest one makes likely. `width` is in per cent of the first."""

    title: str
    share: str
    width: float
    own: bool


@dataclass(frozen=True)
class Order:
    """The dialog's part on the temporal branch. `layer` says which layer's memories are shown if there are several."""

    newest: str
    called: list[Called]
    strips: list[Strip]
    lines: list[Line]
    layer: str


def order(found: Computation, terms: TemporalTerms, newest: str, columns: int, layers: int) -> Order:
    """The part on the temporal branch. `newest` is the newest item's title; memories are those of the last layer."""
    strips = []
    for memory, without in zip(terms.memories, terms.without.tolist(), strict=True):
        span = f"{memory.span:.0f}"
        strips.append(
            Strip(
                "temporal",
                f"memory of about {span}",
                f"without it {percent(without)}",
                f"How much of each item is left in the memory of about {span} interactions. If it were empty, this "
                f"branch would give the item {percent(without)}.",
                bars(memory.left[-columns:].tolist(), "temporal", 1.0),
            )
        )
    first = found.called[0][1] if found.called else 1.0
    called = [
        Called(item.title, percent(share), 100 * share / first, item.item_id == found.item.item_id)
        for item, share in found.called
    ]
    layer = f"These are the memories of the last of {layers} layers; it reads the output of those before it."
    return Order(newest, called, strips, of_score(terms.score), layer if layers > 1 else "")
