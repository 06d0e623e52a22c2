"""Items of the history as candidates: left in or taken out of a ranking, and when that makes a comparison unfair.

A repeat bias learns that nothing is chosen twice where that is so, and ranks items of the history low. With these items
left in, a model that has none then loses places to items that cannot be targets.
"""

from typing import Literal

Seen = Literal["unmasked", "masked"]
SEEN: dict[Seen, str] = {"unmasked": "left in", "masked": "taken out"}


def nothing_twice(targets: int | None, new_targets: int | None) -> bool:
    """Whether every target is new to its user, because nothing is chosen twice in this world."""
    return bool(targets) and targets == new_targets
