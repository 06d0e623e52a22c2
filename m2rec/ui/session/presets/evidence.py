"""Which evidence the model goes by after a history, asked of the model itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from m2rec.branches import BRANCHES, BranchName

if TYPE_CHECKING:
    from m2rec.recommend.answer import RankedItem
    from m2rec.recommend.recommender import Recommender

MOST = 0.5  # share of a probability from which one kind of evidence leads


def first_item(recommender: "Recommender", history: Sequence[str]) -> "RankedItem | None":
    """The first recommendation after a history; None where nothing is left to recommend."""
    return next(iter(recommender.recommend(history, k=1, spectrum=False).items), None)


def lead(item: "RankedItem | None") -> BranchName | None:
    """The evidence that most of its probability comes from; None where none has most of it, or there is no item."""
    if item is None:
        return None
    most = max(BRANCHES, key=lambda branch: item.contributions[branch])
    return most if item.contributions[most] > MOST * item.probability else None


def led_by(recommender: "Recommender", branch: BranchName, histories: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The history whose first recommendation comes from this kind of evidence most; better one of a new item, and after
    more than one choice.
    """

    def how_well(history: tuple[str, ...]) -> tuple[bool, bool, int, float]:
        first = first_item(recommender, history)
        if first is None:
            return False, False, 0, 0.0
        new = first.item_id not in history
        return lead(first) == branch, new, min(len(history), 2), first.contributions[branch]

    return max(histories, key=how_well)


def least_confident(recommender: "Recommender", histories: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The history with the lowest probability of its first recommendation."""

    def probability(history: tuple[str, ...]) -> float:
        first = first_item(recommender, history)
        return first.probability if first else 0.0

    return min(histories, key=probability)


def note_on_lead(recommender: "Recommender", branch: BranchName, history: Sequence[str]) -> str:
    """What is said of a history whose first recommendation comes from other evidence than it is meant to show."""
    other = lead(first_item(recommender, history))
    return "" if other in (branch, None) else f". Here {other} evidence leads"


def note_on_rhythm(recommender: "Recommender", history: Sequence[str]) -> str:
    """What is said of a made-up rhythm that the model does not go by."""
    first = first_item(recommender, history)
    goes_by_it = lead(first) == "frequency" and first is not None and first.item_id in history
    return "" if goes_by_it else ". Made up: this world's model does not go by it"


def stands_out(recommender: "Recommender", history: Sequence[str], *periods: int) -> bool:
    """Whether the spectrum shows all of these periods as significant."""
    spectrum = recommender.recommend(history, k=1).spectrum
    return spectrum is not None and set(periods) <= {round(one) for one in spectrum.significant}
