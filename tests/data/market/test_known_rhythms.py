"""The informed oracle's joint filter, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from m2rec.data.market.customers import TRAINING, Customers
from m2rec.data.market.oracles.known_rhythms import KnownRhythms
from m2rec.data.market.settings import DEFAULT

OTHER = 9  # an item that no rhythm is made of


def customer(*rhythms: tuple[int, int]) -> Customers:
    """One customer with these (period, phase), of items 1, 2, 3."""
    places = [(item, *rhythm) for item, rhythm in enumerate(rhythms, start=1)] + [(0, 0, 0)] * (3 - len(rhythms))
    items, periods, phases = np.array(places).T[:, None, :]
    return Customers(np.array([50]), np.array([TRAINING], dtype=np.int8), items, periods, phases)


def expected_after(rhythms: KnownRhythms, history: list[tuple[int, float]]) -> tuple[list[float], float]:
    """P(each rhythm) and P(none) after days of (item, its probability without a rhythm)."""
    for item, base in history:
        rhythms.expect()
        rhythms.observe(np.array([item]), np.array([base]))
    wins, none = rhythms.expect()
    return wins[0].tolist(), float(none[0])


def test_a_rhythm_that_did_not_occur_may_still_be_late() -> None:
    wins, none = expected_after(KnownRhythms(DEFAULT, customer((7, 3))), [(OTHER, 0.1)] * 4)
    assert wins == pytest.approx([0.0285 / (0.0285 + 0.05), 0, 0])  # late, or missed
    assert none == pytest.approx(0.05 / (0.0285 + 0.05))


def test_its_item_bought_the_day_before_may_have_been_chance() -> None:
    """Day 2 brings the item: early with .0285, or not early (.9715) and by chance with .2."""
    wins, _ = expected_after(KnownRhythms(DEFAULT, customer((7, 3))), [(OTHER, 0.1), (OTHER, 0.1), (1, 0.2)])
    by_chance = 0.9715 * 0.2 / (0.0285 + 0.9715 * 0.2)  # .8721
    assert wins[0] == pytest.approx(by_chance * 0.893 / 0.9715)


def test_the_shorter_period_waits_for_the_longer_one() -> None:
    """Both are due today for certain unless missed; the second can only win when the first was missed."""
    strict = replace(DEFAULT, slip=0.0, miss=0.2)
    wins, none = expected_after(KnownRhythms(strict, customer((10, 0), (5, 0))), [])
    assert wins == pytest.approx([0.8, 0.2 * 0.8, 0])
    assert none == pytest.approx(0.2 * 0.2)


def test_a_rhythm_that_lost_its_day_is_not_expected_the_day_after() -> None:
    """Item 1 was bought by its rhythm or, with base .3, by chance; then neither rhythm was due on the day itself."""
    settings = replace(DEFAULT, slip=0.1, miss=0.0)
    wins, _ = expected_after(KnownRhythms(settings, customer((10, 1), (5, 1))), [(OTHER, 0.1), (1, 0.3)])
    on_time = 0.8 / 0.9  # of each, as neither came early
    rhythm, chance = on_time, (1 - on_time) ** 2 * 0.3
    second_still_to_come = (rhythm * (1 - on_time) + chance) / (rhythm + chance)
    first_still_to_come = chance / (rhythm + chance)
    both = chance / (rhythm + chance)
    assert wins == pytest.approx([first_still_to_come, second_still_to_come - both, 0])


def test_no_rhythms_nothing_to_expect() -> None:
    wins, none = expected_after(KnownRhythms(DEFAULT, customer()), [(OTHER, 0.1)] * 3)
    assert wins == [0, 0, 0]
    assert none == pytest.approx(1)
