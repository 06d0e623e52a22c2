"""What comes next: ranked cards whose bars split into the three contributions, and a second list to compare with."""

from dataclasses import dataclass

from m2rec.recommend.answer import RankedItem, Shares
from m2rec.ui.actions import shuffle
from m2rec.ui.palette import ORDERED
from m2rec.ui.scene import Scene, ask
from m2rec.ui.templating import render
from m2rec.ui.words import percent

COUNTS = (5, 10, 20, 50)
COMPARISONS = (
    ("shuffled", "order shuffled"),
    ("temporal", "no temporal branch"),
    ("frequency", "no frequency branch"),
    ("semantic", "no semantic branch"),
    ("popularity", "popularity"),
)


@dataclass(frozen=True)
class Move:
    """How far an item moved since the previous answer."""

    way: str
    text: str
    said: str


@dataclass(frozen=True)
class Card:
    """One recommendation; `said` is its label for who listens."""

    item: RankedItem
    move: Move | None
    said: str


@dataclass(frozen=True)
class Row:
    """One line of the list compared with."""

    rank: int
    title: str
    shared: bool
    probability: float | None = None
    contributions: Shares | None = None


@dataclass(frozen=True)
class Other:
    """The list compared with."""

    title: str
    note: str
    rows: list[Row]


def cards(scene: Scene) -> str:
    """The ranked list, and beside it the one compared with."""
    items = scene.answer.items
    widest = max((item.probability for item in items), default=1.0)
    ranked = []
    for item in items:
        move = _move(item, scene.before)
        ranked.append(Card(item, move, _said(item, move)))
    counts = sorted({*COUNTS, scene.state.k})
    return render(
        "cards.html.j2",
        cards=ranked,
        widest=widest,
        state=scene.state,
        counts=counts,
        comparisons=COMPARISONS,
        other=compared(scene),
    )


def _move(item: RankedItem, before: tuple[str, ...]) -> Move | None:
    if not before:
        return None
    if item.item_id not in before:
        return Move("new", "new", "new in the list")
    up = before.index(item.item_id) + 1 - item.rank
    if up == 0:
        return None
    return Move("up", f"▲{up}", f"up {up}") if up > 0 else Move("down", f"▼{-up}", f"down {-up}")


def _said(item: RankedItem, move: Move | None) -> str:
    parts = ", ".join(f"{kind.name.lower()} {percent(item.contributions[kind.key])}" for kind in ORDERED)
    moved = f", {move.said}" if move else ""
    return f"{item.rank}: {item.title}, {percent(item.probability)}{moved}; {parts}; show details"


def compared(scene: Scene) -> Other | None:
    """The list that the visitor compares with, when there is one."""
    compare, state = scene.state.compare, scene.state
    if compare is None:
        return None
    title = dict(COMPARISONS)[compare].capitalize()
    mine = {item.item_id for item in scene.answer.items}
    if compare == "popularity":
        rows = [
            Row(rank, item.title, item.item_id in mine)
            for rank, item in enumerate(list(scene.world.items.values())[: state.k], start=1)
        ]
        return Other(title, _overlap(rows, "The same for everybody: what was chosen most in the training data."), rows)
    if compare == "shuffled":
        asked, note = shuffle(state), "The same items in another order: what changes is what order was worth."
    else:
        gates = scene.answer.gates
        left = {name: 0.0 if name == compare else max(weight, 1e-9) for name, weight in gates.items()}
        asked, note = state.but(gate_override=left), "One branch's gate at zero, the other two share its weight."
    answer = ask(scene.worlds, asked)
    rows = [
        Row(item.rank, item.title, item.item_id in mine, item.probability, item.contributions) for item in answer.items
    ]
    return Other(title, _overlap(rows, note), rows)


def _overlap(rows: list[Row], note: str) -> str:
    return f"{sum(row.shared for row in rows)} of {len(rows)} are in both lists. {note}"
