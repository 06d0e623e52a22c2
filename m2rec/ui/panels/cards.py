"""Recommendations as ranked cards, whose bars show the three contributions, and a second list for comparison."""

from dataclasses import dataclass
from functools import lru_cache

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from m2rec.branches import ORDERED
from m2rec.recommend.answer import RankedItem
from m2rec.ui.render.comparison import COMPARISONS, compared
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import percent

COUNTS = (5, 10, 20, 50)
CACHED = 4096  # actions


@dataclass(frozen=True)
class Move:
    """How far an item moved since the previous answer; `said` is for screen readers."""

    way: str
    text: str
    said: str


@dataclass(frozen=True)
class Card:
    """One recommendation; `said` is its label for screen readers."""

    item: RankedItem
    move: Move | None
    said: str
    add: Markup  # the action of its button, as JSON


def cards(context: PageContext) -> str:
    """The ranked list, and the list it is compared with."""
    items = context.answer.items
    widest = max((item.probability for item in items), default=1.0)
    ranked = []
    for item in items:
        move = _move(item, context.before)
        ranked.append(Card(item, move, _said(item, move), _adding(item.item_id)))
    counts = sorted({*COUNTS, context.state.k})
    return render(
        "answer/cards.html.j2",
        cards=ranked,
        widest=widest,
        state=context.state,
        counts=counts,
        comparisons=COMPARISONS,
        other=compared(context),
    )


@lru_cache(maxsize=CACHED)
def _adding(item_id: str) -> Markup:
    return htmlsafe_json_dumps({"item_id": item_id, "type": "add"})


def _move(item: RankedItem, before: tuple[str, ...]) -> Move | None:
    if not before:
        return None
    if item.item_id not in before:
        return Move("new", "from below", "was not in the list before")
    up = before.index(item.item_id) + 1 - item.rank
    if up == 0:
        return None
    return Move("up", f"▲{up}", f"up {up}") if up > 0 else Move("down", f"▼{-up}", f"down {-up}")


def _said(item: RankedItem, move: Move | None) -> str:
    parts = ", ".join(f"{kind.name.lower()} {percent(item.contributions[kind.key])}" for kind in ORDERED)
    moved = f", {move.said}" if move else ""
    return f"{item.rank}: {item.title}, {percent(item.probability)}{moved}; {parts}; show details"
