"""Recommendations as ranked cards, whose bars show the three contributions, and a second list for comparison."""

from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from m2rec.branches import ORDERED
from m2rec.recommend.answer import RankedItem
from m2rec.ui.render.comparison import COMPARISONS, compared
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import pieces, render
from m2rec.ui.render.words import percent

COUNTS = (5, 10, 20, 50)
CACHED = 2048  # cards, of about a kilobyte each


class Move(NamedTuple):
    """How far an item moved since the previous answer; `said` is for screen readers."""

    way: str
    text: str
    said: str


def cards(context: PageContext) -> str:
    """The ranked list, and the list it is compared with."""
    items = context.answer.items
    widest = max((item.probability for item in items), default=1.0)
    counts = sorted({*COUNTS, context.state.k})
    return render(
        "answer/cards.html.j2",
        cards=[_card(item, _move(item, context.before), widest) for item in items],
        widest=widest,
        state=context.state,
        counts=counts,
        comparisons=COMPARISONS,
        other=compared(context),
    )


def _card(item: RankedItem, move: Move | None, widest: float) -> Markup:
    """One recommendation, whose bars are as wide as its contributions are, beside the probability `widest`."""
    shares = [item.contributions[kind.key] for kind in ORDERED]
    chance, *parts = (escape(percent(share)) for share in (item.probability, *shares))
    widths = [f"{100 * share / widest:.3f}" for share in shares]
    begin, *rest = _around_numbers(item.item_id, item.title, item.group, move)
    numbers = (item.rank, chance, *parts, item.rank, chance, *widths)
    return Markup("".join((begin, *(f"{number}{text}" for number, text in zip(numbers, rest, strict=True)))))


@lru_cache(maxsize=CACHED)
def _around_numbers(item_id: str, title: str, group: str, move: Move | None) -> tuple[str, ...]:
    return pieces("answer/card.html.j2", item_id=item_id, title=title, group=group, move=move)


def _move(item: RankedItem, before: tuple[str, ...]) -> Move | None:
    if not before:
        return None
    if item.item_id not in before:
        return Move("new", "from below", "was not in the list before")
    up = before.index(item.item_id) + 1 - item.rank
    if up == 0:
        return None
    return Move("up", f"▲{up}", f"up {up}") if up > 0 else Move("down", f"▼{-up}", f"down {-up}")
