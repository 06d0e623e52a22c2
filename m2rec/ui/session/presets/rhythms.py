"""Made-up histories with rhythms: one, two, as long as the model reads, and by the calendar."""

import random
from typing import TYPE_CHECKING

from m2rec.ui.session.presets.catalogue import Catalogue
from m2rec.ui.session.presets.evidence import note_on_rhythm, stands_out
from m2rec.ui.session.presets.preset import Preset

if TYPE_CHECKING:
    from m2rec.recommend.recommender import Recommender

WEEKS = (6, 9, 13)  # of the default history: the least at which its rhythm is significant against shuffled copies
LENGTHS = (48, 62, 76, 90)  # of two rhythms: the least at which both are significant
MONDAY = 20_094  # days since 1970: where the invented calendar begins
CALENDAR_DAYS = 126
OUTING = 0.55  # share of the other days on which something is chosen


def weekly(recommender: "Recommender", catalogue: Catalogue, chance: random.Random) -> Preset:
    """One item every 7th time, as short as its rhythm can be seen."""
    tried = [catalogue.filled(7 * count - 1, {catalogue.staple: (7, 0)}, chance) for count in WEEKS]
    history = next((one for one in tried if stands_out(recommender, one, 7)), tried[0])
    note = note_on_rhythm(recommender, history)
    return Preset("weekly", "A weekly rhythm", f"One item every 7th time, the next one due now{note}", history)


def two_rhythms(
    recommender: "Recommender", catalogue: Catalogue, chance: random.Random, chance_of_longer: random.Random
) -> Preset:
    """One item every 7th time and another every 5th, as short as both can be seen.

    The longer histories have a generator of their own, so that trying them does not change other presets.
    """
    rhythms = {catalogue.staple: (7, 0), catalogue.other: (5, 2)}
    tried = [
        catalogue.filled(length, rhythms, chance_of_longer if place else chance) for place, length in enumerate(LENGTHS)
    ]
    history = next((one for one in tried if stands_out(recommender, one, 5, 7)), tried[0])
    note = note_on_rhythm(recommender, history)
    return Preset("two-rhythms", "Two rhythms", f"One item every 7th time, another every 5th{note}", history)


def longest(length: int, catalogue: Catalogue, chance: random.Random) -> Preset:
    """`length` items, of which one recurs every 7th time."""
    history = catalogue.filled(length, {catalogue.staple: (7, 0)}, chance)
    return Preset("longest", "The longest history", "As many items as the model reads", history)


def by_calendar(most: int, catalogue: Catalogue, chance: random.Random) -> Preset:
    """One item every 7th day, on a calendar with idle days: its newest interactions, at most `most`."""
    dates = [day for day in range(CALENDAR_DAYS) if day % 7 == 0 or chance.random() < OUTING][-most:]
    fillers = catalogue.filled(len(dates), {}, chance)
    history = tuple(catalogue.staple if day % 7 == 0 else filler for day, filler in zip(dates, fillers, strict=True))
    return Preset(
        "calendar",
        "By the calendar",
        "One item every 7th day, with idle days between: the dates show the rhythm, and the model ignores dates",
        history,
        tuple(MONDAY + day for day in dates),
    )
