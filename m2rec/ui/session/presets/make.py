"""All presets of a model's catalogue."""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from m2rec.ui.session.presets import rhythms, without_rhythm
from m2rec.ui.session.presets.catalogue import catalogue_of
from m2rec.ui.session.presets.preset import Preset
from m2rec.ui.session.state import HISTORY_LIMIT

if TYPE_CHECKING:
    from m2rec.data.sources.person import Person
    from m2rec.recommend.recommender import Recommender

SEED = 2505


def make(recommender: "Recommender", staple: str | None = None, people: "Sequence[Person]" = ()) -> tuple[Preset, ...]:
    """Presets of a model's catalogue. `staple` is the item that recurs in them; `people` have real histories.

    Asks the model: a chain is made of what it expects to follow.
    """
    catalogue = catalogue_of(recommender, staple)
    length = min(recommender.max_history, HISTORY_LIMIT)
    # what is drawn from one generator depends on what was drawn before: the order of these lines is part of the presets
    chance, longer, apart = random.Random(SEED), random.Random(f"{SEED}, longer"), random.Random(f"{SEED}, apart")
    weekly = rhythms.weekly(recommender, catalogue, chance)
    two_rhythms = rhythms.two_rhythms(recommender, catalogue, chance, longer)
    taste = without_rhythm.taste(recommender, catalogue, apart)
    new_item = without_rhythm.new_item(recommender, catalogue, apart)
    chain = without_rhythm.chain(recommender, catalogue)
    noise = without_rhythm.noise(recommender, catalogue, chance)
    calendar = rhythms.by_calendar(length, catalogue, chance)
    longest = rhythms.longest(length, catalogue, chance)
    made = (weekly, two_rhythms, chain, taste, noise, new_item, longest, calendar)
    if people:
        return (*made, *(Preset(one.key, one.title, one.about, one.item_ids, one.days) for one in people))
    return (*made, without_rhythm.sampled(recommender, random.Random(f"{SEED}, sampled")))
