"""Made-up histories of other evidence, or of none: a chain, one kind of thing, a new item, noise, the model's own."""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from m2rec.ui.session.presets.catalogue import TASTE, Catalogue, kinds
from m2rec.ui.session.presets.evidence import first_item, lead, least_confident, led_by, note_on_lead
from m2rec.ui.session.presets.preset import Preset

if TYPE_CHECKING:
    from m2rec.recommend.recommender import Recommender

CHAIN = 9  # interactions
CHAINS = 12  # tried at most
ORDERLY = 0.6  # weight of the temporal branch at the end of a chain that shows what it should
TASTES = 4  # histories drawn of each kind of thing
RAREST, BEFORE_RAREST = 31, 4  # items seen least, where all were seen; and how many are tried as the one before each
NOISES, NOISE = 8, 40  # random histories, of which the one with the least confident answer is shown, and their length
SAMPLED, SAMPLED_FROM = 40, 50  # interactions drawn from the model's own answers, each from so many of the likeliest


def chain(recommender: "Recommender", catalogue: Catalogue) -> Preset:
    """Each item is the one that the temporal branch expects most after those before."""
    history = _chain(recommender, catalogue.fillers)
    note = note_on_lead(recommender, "temporal", history)
    about = f"Each item is what the model expects to follow the one before{note}"
    return Preset("chain", "A chain", about, history)


def taste(recommender: "Recommender", catalogue: Catalogue, chance: random.Random) -> Preset:
    """Things of one kind, drawn without replacement; of many draws the one that semantic evidence leads most."""
    several = kinds(recommender, catalogue) * TASTES
    tried = [tuple(chance.sample(ids, min(len(ids), TASTE))) for ids in several]
    history = led_by(recommender, "semantic", tried or [tuple(catalogue.pool[:TASTE])])
    note = note_on_lead(recommender, "semantic", history)
    return Preset("taste", "A single taste", f"Things of one kind only, in no particular order{note}", history)


def new_item(recommender: "Recommender", catalogue: Catalogue, chance: random.Random) -> Preset:
    """The newest item is one that the model has never seen, or one of the rarest where it saw all. Before it is nothing
    or something of the same kind.
    """
    items = list(recommender.items)
    new = [one for one in items if one.item_id in recommender.never_seen]
    tried = [
        history
        for item in new or items[-RAREST:]
        for history in (
            *((chance.choice(catalogue.same_group(item.group)), item.item_id) for _ in range(BEFORE_RAREST)),
            (item.item_id,),
        )
    ]
    history = led_by(recommender, "semantic", tried)
    note = note_on_lead(recommender, "semantic", history)
    if new:
        about = f"It ends with an item that the model has never seen{note}"
        return Preset("new-item", "A brand-new item", about, history)
    about = f"It ends with one of the items that the model has seen least{note}"
    return Preset("new-item", "A rare item", about, history)


def noise(recommender: "Recommender", catalogue: Catalogue, chance: random.Random) -> Preset:
    """Popular items drawn with replacement; of several draws the one with the least confident answer."""
    tried = [tuple(chance.choices(catalogue.pool, k=NOISE)) for _ in range(NOISES)]
    history = least_confident(recommender, tried)
    return Preset("noise", "Random noise", "Drawn by chance: nothing should stand out", history)


def sampled(recommender: "Recommender", chance: random.Random) -> Preset:
    """A history like those the model learned from, where none of them may be shown or none is on this machine."""
    history: list[str] = []
    while len(history) < min(SAMPLED, recommender.max_history):
        likeliest = recommender.recommend(history, k=SAMPLED_FROM, spectrum=False).items
        weights = [item.probability for item in likeliest]
        history += chance.choices([item.item_id for item in likeliest], weights)
    about = "Nobody's list: each item drawn by the probabilities that the model gave it after those before"
    return Preset("sampled", "Drawn from the model", about, tuple(history))


def _chain(recommender: "Recommender", starts: Sequence[str]) -> tuple[str, ...]:
    """From one item to the one that the temporal branch expects most, and on; never back. After some items no other is
    likely. Of a few chains the first is taken at whose end order leads and the gate trusts it, or else the best.
    """
    best: tuple[str, ...] = (starts[0],)
    shows = (False, -1.0)  # how well the best one shows what it should
    for start in starts[:CHAINS]:
        history, trust = [start], 0.0
        while True:
            answer = recommender.recommend(history, k=50, exclude_seen=True, spectrum=False)
            trust = answer.gates["temporal"]
            if len(history) == CHAIN or not answer.items:
                break
            history.append(max(answer.items, key=lambda item: item.contributions["temporal"]).item_id)
        found = (lead(first_item(recommender, history)) == "temporal", trust)
        if found > shows:
            best, shows = tuple(history), found
        if shows >= (True, ORDERLY):
            break
    return best
