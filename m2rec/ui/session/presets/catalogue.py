"""The items that presets are made of, chosen from a model's catalogue."""

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from m2rec.recommend.search import words_of

if TYPE_CHECKING:
    from m2rec.recommend.recommender import Recommender

POOL = 120  # the most popular items, from which presets are made
TASTE = 20  # interactions of a history with one kind of thing
SHORT_WORD = 3  # letters of words that say nothing of what an item is


@dataclass(frozen=True)
class Catalogue:
    """Ids of the items for presets."""

    pool: list[str]  # the most popular ones
    staple: str  # the one that recurs
    other: str  # another that recurs
    fillers: list[str]  # the rest of the pool
    groups: dict[str, list[str]]  # by group

    @property
    def has_groups(self) -> bool:
        """Whether there is more than one group."""
        return len(self.groups) > 1

    def same_group(self, group: str) -> list[str]:
        """What is of one kind with an item of this group: the whole pool in a catalogue without groups."""
        return self.groups[group] if self.has_groups else self.pool

    def filled(self, length: int, rhythms: dict[str, tuple[int, int]], chance: random.Random) -> tuple[str, ...]:
        """`length` items that do not repeat if it can be helped, and those of `rhythms`, each `every` so many places
        and `due` so soon after the end.
        """
        rounds = 1 + length // len(self.fillers)
        drawn = [item_id for _ in range(rounds) for item_id in chance.sample(self.fillers, len(self.fillers))]
        history = drawn[:length]
        for item_id, (every, due) in rhythms.items():
            for place in range(length - every + due, -1, -every):
                history[place] = item_id
        return tuple(history)


def catalogue_of(recommender: "Recommender", staple: str | None) -> Catalogue:
    """The items of a model's presets. `staple` is the one that recurs, if the model has it."""
    items = list(recommender.items)
    pool = [item.item_id for item in items[:POOL]]
    recurring = staple if staple in {item.item_id for item in items} else pool[0]
    other = next((item_id for item_id in (*pool[5:], *pool) if item_id != recurring), recurring)
    groups: dict[str, list[str]] = defaultdict(list)
    for item in items:
        groups[item.group].append(item.item_id)
    fillers = [item_id for item_id in pool if item_id not in (recurring, other)] or pool
    return Catalogue(pool, recurring, other, fillers, dict(groups))


def kinds(recommender: "Recommender", catalogue: Catalogue) -> list[list[str]]:
    """Ids of things of one kind each: of a group, or in a catalogue without groups, with a common word in the title."""
    found = catalogue.groups if catalogue.has_groups else _by_word(recommender)
    return [ids for ids in found.values() if len(ids) > TASTE // 2]


def _by_word(recommender: "Recommender") -> dict[str, list[str]]:
    """Ids of the items whose titles share a word, of words that are neither rare nor in every tenth title."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in recommender.items:
        for word in set(words_of(item.title)):
            if len(word) > SHORT_WORD:
                found[word].append(item.item_id)
    most = len(recommender.items) // 10
    return {word: ids for word, ids in sorted(found.items()) if TASTE <= len(ids) <= most}
