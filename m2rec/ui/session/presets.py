"""Histories to start from, made from the loaded catalogue: the same catalogue always gives the same ones."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from m2rec.branches import BRANCHES, BranchName
from m2rec.recommend.search import words_of
from m2rec.ui.session.state import HISTORY_LIMIT

if TYPE_CHECKING:
    from m2rec.data.sources.person import Person
    from m2rec.recommend.answer import RankedItem
    from m2rec.recommend.recommender import Recommender

SEED = 2505
POOL = 120  # the most popular items, from which presets are made
WEEKS = (6, 9, 13)  # of the default history: the least at which its rhythm is significant against shuffled copies
MONDAY = 20_094  # days since 1970: where the invented calendar begins
LENGTHS = (48, 62, 76, 90)  # of two rhythms: the least at which both are significant
CALENDAR_DAYS = 126
OUTING = 0.55  # share of the other days on which something is chosen
TASTE, TASTES = 20, 4  # interactions with one group, and how many are drawn of each
RAREST, BEFORE_RAREST = 31, 4  # items seen least, where all were seen; and how many are tried as the one before each
MOST = 0.5  # share of a probability from which one kind of evidence leads
RARE = "It ends with one of the items that the model has seen least"
SHORT_WORD = 3  # letters of words that say nothing of what an item is
NOISES = 8  # random histories, of which the one with the least confident answer is shown
CHAIN = 9  # interactions
CHAINS = 12  # tried at most
ORDERLY = 0.6  # weight of the temporal branch at the end of a chain that shows what it should
SAMPLED, SAMPLED_FROM = 40, 50  # interactions drawn from the model's own answers, each from so many of the likeliest


@dataclass(frozen=True)
class Preset:
    """A named history; `about` says what it shows."""

    key: str
    title: str
    about: str
    history: tuple[str, ...]
    days: tuple[int | None, ...] = ()  # the date of each interaction, where the history has a clock


def make(recommender: "Recommender", staple: str | None = None, people: "Sequence[Person]" = ()) -> tuple[Preset, ...]:
    """Presets of a model's catalogue. `staple` is the item that recurs in them; `people` have real histories.

    Asks the model: a chain is made of what it expects to follow.
    """
    chance = random.Random(SEED)
    items = list(recommender.items)
    known = {item.item_id for item in items}
    pool = [item.item_id for item in items[:POOL]]
    weekly = staple if staple in known else pool[0]
    other = next((item_id for item_id in (*pool[5:], *pool) if item_id != weekly), weekly)
    rest = [item_id for item_id in pool if item_id not in (weekly, other)] or pool
    by_group: dict[str, list[str]] = defaultdict(list)
    for item in items:
        by_group[item.group].append(item.item_id)
    longest = min(recommender.max_history, HISTORY_LIMIT)

    def filled(length: int, rhythms: dict[str, tuple[int, int]], chance: random.Random = chance) -> tuple[str, ...]:
        """`length` things that do not repeat if it can be helped, and items `every` so often, `due` so soon."""
        rounds = 1 + length // len(rest)
        history = [item_id for _ in range(rounds) for item_id in chance.sample(rest, len(rest))][:length]
        for item_id, (every, due) in rhythms.items():
            for place in range(length - every + due, -1, -every):
                history[place] = item_id
        return tuple(history)

    def followed(history: tuple[str, ...]) -> str:
        """What is said of a made-up rhythm that the model does not go by."""
        first = _first(recommender, history)
        goes_by_it = _lead(first) == "frequency" and first is not None and first.item_id in history
        return "" if goes_by_it else ". Made up: this world's model does not go by it"

    def goes_by(branch: BranchName, history: tuple[str, ...]) -> str:
        """What is said of a history whose first recommendation comes from other evidence than it is meant to show."""
        lead = _lead(_first(recommender, history))
        return "" if lead in (branch, None) else f". Here {lead} evidence leads"

    tried = [filled(7 * count - 1, {weekly: (7, 0)}) for count in WEEKS]
    weeks = next((history for history in tried if _stands_out(recommender, history, 7)), tried[0])
    longer = random.Random(f"{SEED}, longer")  # so that draws here do not change other presets
    both = [
        filled(length, {weekly: (7, 0), other: (5, 2)}, longer if place else chance)
        for place, length in enumerate(LENGTHS)
    ]
    two = next((history for history in both if all(_stands_out(recommender, history, one) for one in (5, 7))), both[0])
    own = random.Random(f"{SEED}, apart")  # so that draws here do not change other presets
    kin = {item.item_id: by_group[item.group] if len(by_group) > 1 else pool for item in items}
    if len(by_group) == 1:  # a catalogue without groups: by the words of its titles
        by_group = _by_word(recommender)
    wide = [group for group in by_group.values() if len(group) > TASTE // 2] * TASTES
    tastes = [tuple(own.sample(group, min(len(group), TASTE))) for group in wide]
    new = [one.item_id for one in items if one.item_id in recommender.never_seen]
    rarest = [
        history
        for item_id in new or [one.item_id for one in items[-RAREST:]]
        for history in (*((own.choice(kin[item_id]), item_id) for _ in range(BEFORE_RAREST)), (item_id,))
    ]
    taste = _led_by(recommender, "semantic", tastes or [tuple(pool[:TASTE])])
    newest = _led_by(recommender, "semantic", rarest)
    chain = _chain(recommender, rest)
    noise = _dullest(recommender, [tuple(chance.choices(pool, k=40)) for _ in range(NOISES)])
    dates = [day for day in range(CALENDAR_DAYS) if day % 7 == 0 or chance.random() < OUTING][-longest:]
    fillers = filled(len(dates), {})
    dated = tuple(weekly if day % 7 == 0 else other for day, other in zip(dates, fillers, strict=True))
    made = (
        Preset("weekly", "A weekly rhythm", f"One item every 7th time, the next one due now{followed(weeks)}", weeks),
        Preset("two-rhythms", "Two rhythms", f"One item every 7th time, another every 5th{followed(two)}", two),
        Preset(
            "chain",
            "A chain",
            f"Each item is what the model expects to follow the one before{goes_by('temporal', chain)}",
            chain,
        ),
        Preset(
            "taste",
            "A single taste",
            f"Things of one kind only, in no particular order{goes_by('semantic', taste)}",
            taste,
        ),
        Preset("noise", "Random noise", "Drawn by chance: nothing should stand out", noise),
        Preset(
            "new-item",
            "A brand-new item" if new else "A rare item",
            ("It ends with an item that the model has never seen" if new else RARE) + goes_by("semantic", newest),
            newest,
        ),
        Preset("longest", "The longest history", "As many items as the model reads", filled(longest, {weekly: (7, 0)})),
        Preset(
            "calendar",
            "By the calendar",
            "One item every 7th day, with idle days between: the dates show the rhythm, and the model ignores dates",
            dated,
            tuple(MONDAY + day for day in dates),
        ),
    )
    if people:
        return (*made, *(Preset(one.key, one.title, one.about, one.item_ids, one.days) for one in people))
    about = "Nobody's list: each item drawn by the probabilities that the model gave it after those before"
    return (*made, Preset("sampled", "Drawn from the model", about, _sampled(recommender)))


def _by_word(recommender: "Recommender") -> dict[str, list[str]]:
    """Ids of the items whose titles share a word, of words that are neither rare nor in every tenth title."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in recommender.items:
        for word in set(words_of(item.title)):
            if len(word) > SHORT_WORD:
                found[word].append(item.item_id)
    most = len(recommender.items) // 10
    return {word: ids for word, ids in sorted(found.items()) if TASTE <= len(ids) <= most}


def _stands_out(recommender: "Recommender", history: Sequence[str], period: int) -> bool:
    spectrum = recommender.recommend(history, k=1).spectrum
    return spectrum is not None and period in (round(one) for one in spectrum.significant)


def _led_by(recommender: "Recommender", branch: BranchName, histories: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The history whose first recommendation comes from this kind of evidence most; better one of a new item, and after
    more than one choice.
    """

    def merit(history: tuple[str, ...]) -> tuple[bool, bool, int, float]:
        first = _first(recommender, history)
        if first is None:
            return False, False, 0, 0.0
        new = first.item_id not in history
        return _lead(first) == branch, new, min(len(history), 2), first.contributions[branch]

    return max(histories, key=merit)


def _lead(item: "RankedItem | None") -> BranchName | None:
    """The evidence that most of its probability comes from; None where none has most of it, or there is no item."""
    if item is None:
        return None
    lead = max(BRANCHES, key=lambda branch: item.contributions[branch])
    return lead if item.contributions[lead] > MOST * item.probability else None


def _first(recommender: "Recommender", history: Sequence[str]) -> "RankedItem | None":
    return next(iter(recommender.recommend(history, k=1, spectrum=False).items), None)


def _dullest(recommender: "Recommender", histories: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The history with the lowest probability of its first recommendation."""

    def chance(history: tuple[str, ...]) -> float:
        first = _first(recommender, history)
        return first.probability if first else 0.0

    return min(histories, key=chance)


def _sampled(recommender: "Recommender") -> tuple[str, ...]:
    """A history like those the model learned from, where none of them may be shown or none is on this machine."""
    chance = random.Random(f"{SEED}, sampled")  # so that draws here do not change other presets
    history: list[str] = []
    while len(history) < min(SAMPLED, recommender.max_history):
        likeliest = recommender.recommend(history, k=SAMPLED_FROM, spectrum=False).items
        weights = [item.probability for item in likeliest]
        history += chance.choices([item.item_id for item in likeliest], weights)
    return tuple(history)


def _chain(recommender: "Recommender", starts: Sequence[str]) -> tuple[str, ...]:
    """From one item to the one that the temporal branch expects most, and on; never back. After some items no other is
    likely. Of a few chains the first is taken at whose end order leads and the gate trusts it, or else the best.
    """
    best: tuple[str, ...] = (starts[0],)
    merit = (False, -1.0)
    for start in starts[:CHAINS]:
        history, trust = [start], 0.0
        while True:
            answer = recommender.recommend(history, k=50, exclude_seen=True, spectrum=False)
            trust = answer.gates["temporal"]
            if len(history) == CHAIN or not answer.items:
                break
            history.append(max(answer.items, key=lambda item: item.contributions["temporal"]).item_id)
        found = (_lead(_first(recommender, history)) == "temporal", trust)
        if found > merit:
            best, merit = tuple(history), found
        if merit >= (True, ORDERLY):
            break
    return best
