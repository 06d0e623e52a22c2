"""Histories to start from, made from whatever catalogue is loaded: the same catalogue always gives the same ones."""

import random
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from m2rec.ui.worlds import World

SEED = 2505
POOL = 120  # the most popular items, from which presets are made
WEEKS = 4


@dataclass(frozen=True)
class Preset:
    """A named history; `about` says what it shows."""

    key: str
    title: str
    about: str
    history: tuple[str, ...]


@lru_cache(maxsize=16)
def _made(ids: tuple[str, ...], groups: tuple[str, ...], longest: int) -> tuple[Preset, ...]:
    chance = random.Random(SEED)
    pool = list(ids[:POOL])
    by_group: dict[str, list[str]] = defaultdict(list)
    for item_id, group in zip(ids, groups, strict=True):
        by_group[group].append(item_id)
    weekly, other = pool[0], pool[min(5, len(pool) - 1)]
    rest = [item_id for item_id in pool if item_id not in (weekly, other)] or pool
    taste = max(by_group.values(), key=len)

    def filled(length: int, rhythms: dict[str, tuple[int, int]]) -> tuple[str, ...]:
        rounds = 1 + length // len(rest)
        days = [item_id for _ in range(rounds) for item_id in chance.sample(rest, len(rest))][:length]
        for item_id, (every, first) in rhythms.items():
            for day in range(first, length, every):
                days[day] = item_id
        return tuple(days)

    steady = filled(7 * WEEKS - 1, {weekly: (7, 6)})[: 7 * WEEKS - 1]
    return (
        Preset("weekly", "A weekly rhythm", "One item every 7th time, the next one due now", steady),
        Preset(
            "two-rhythms",
            "Two rhythms",
            "One item every 7th time, another every 5th",
            filled(34, {weekly: (7, 6), other: (5, 4)}),
        ),
        Preset("taste", "A single taste", "Only one group, in no particular order", tuple(chance.choices(taste, k=20))),
        Preset("noise", "Random noise", "Drawn by chance: nothing should stand out", tuple(chance.choices(pool, k=40))),
        Preset(
            "new-item",
            "A brand-new item",
            "It ends with the item the model has seen least",
            (*chance.choices(taste, k=6), ids[-1]),
        ),
        Preset("longest", "The longest history", "As many items as the model reads", filled(longest, {weekly: (7, 6)})),
    )


def presets(world: "World") -> tuple[Preset, ...]:
    """The presets of a world, the default first."""
    items = list(world.items.values())
    return _made(
        tuple(item.item_id for item in items), tuple(item.group for item in items), world.recommender.max_history
    )
