"""The second list that an answer is compared with."""

from dataclasses import dataclass

from m2rec.branches import ORDERED
from m2rec.recommend.answer import PerBranch
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.actions import shuffle
from m2rec.ui.session.state import State

COMPARISONS = (
    ("shuffled", "order shuffled"),
    *((kind.key, f"no {kind.name.lower()} branch") for kind in ORDERED),
    ("popularity", "popularity"),
)


@dataclass(frozen=True)
class Row:
    """One line of the list compared with."""

    rank: int
    title: str
    shared: bool
    probability: float | None = None
    contributions: PerBranch | None = None


@dataclass(frozen=True)
class Other:
    """The list compared with."""

    title: str
    note: str
    rows: list[Row]


def compared(context: PageContext) -> Other | None:
    """The list that the visitor compares with, when there is one."""
    compare, state = context.state.compare, context.state
    if compare is None:
        return None
    title = dict(COMPARISONS)[compare].capitalize()
    mine = {item.item_id for item in context.answer.items}
    if compare == "popularity":
        anybody = ask(context.worlds, State(world=state.world, k=state.k))
        rows = [Row(item.rank, item.title, item.item_id in mine) for item in anybody.items]
        return Other(title, _overlap(rows, "The same for everybody: what the model expects before any choice."), rows)
    if compare == "shuffled":
        asked, note = shuffle(state), "The same items in another order: what changes is what order was worth."
    else:
        gates = context.answer.gates
        left = {name: 0.0 if name == compare else max(weight, 1e-9) for name, weight in gates.items()}
        asked, note = state.replace(gate_override=left), "One branch's gate at zero, the others share its weight."
    answer = ask(context.worlds, asked)
    rows = [
        Row(item.rank, item.title, item.item_id in mine, item.probability, item.contributions) for item in answer.items
    ]
    return Other(title, _overlap(rows, note), rows)


def _overlap(rows: list[Row], note: str) -> str:
    return f"In both lists: {sum(row.shared for row in rows)} of {len(rows)}. {note}"
