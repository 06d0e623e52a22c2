"""Rhythms come when they should, slip, are missed and collide as documented; interests shift as documented."""

from dataclasses import replace

import numpy as np
import pytest

from m2rec.data.market.customers import TRAINING, Customers
from m2rec.data.market.market import Market
from m2rec.data.market.process import due_rhythms
from m2rec.data.market.settings import DEFAULT, RHYTHM

STRICT = replace(DEFAULT, slip=0.0, miss=0.0, shortest=40, longest=40)


def customers_with(n: int, *rhythms: tuple[int, int]) -> Customers:
    """n customers who all have these (period, phase), of items 1, 2, 3."""
    padded = [*rhythms, (0, 0), (0, 0)][:3]
    return Customers(
        lengths=np.full(n, 40),
        roles=np.full(n, TRAINING, dtype=np.int8),
        rhythm_items=np.tile([1 + place if place < len(rhythms) else 0 for place in range(3)], (n, 1)),
        rhythm_periods=np.tile([period for period, _ in padded], (n, 1)),
        rhythm_phases=np.tile([phase for _, phase in padded], (n, 1)),
    )


def philox(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, 0]))


def test_without_slips_a_rhythm_comes_on_its_nominal_days() -> None:
    due = due_rhythms(STRICT, customers_with(1, (7, 3)), philox())[0]
    assert np.flatnonzero(due == 0).tolist() == [3, 10, 17, 24, 31, 38]


def test_on_a_day_with_two_rhythms_the_longer_period_goes_first_and_the_other_is_lost() -> None:
    due = due_rhythms(STRICT, customers_with(1, (10, 0), (4, 0)), philox())[0]
    assert np.flatnonzero(due == 0).tolist() == [0, 10, 20, 30]
    assert np.flatnonzero(due == 1).tolist() == [4, 8, 12, 16, 24, 28, 32, 36]


def test_slips_and_misses_are_as_frequent_as_in_the_settings() -> None:
    settings = replace(STRICT, slip=0.1, miss=0.2)
    due = due_rhythms(settings, customers_with(4000, (10, 5)), philox()) == 0
    by_offset = due.reshape(4000, 4, 10).mean(axis=(0, 1))  # nominal day at offset 5
    expected = np.zeros(10)
    expected[4:7] = 0.8 * np.array([0.1, 0.8, 0.1])
    assert by_offset == pytest.approx(expected, abs=0.02)


def test_the_first_days_look_like_any_others() -> None:
    """An occurrence whose nominal day is the day before the first may still slip into it."""
    settings = replace(STRICT, slip=0.25)
    due = due_rhythms(settings, customers_with(4000, (4, 3)), philox()) == 0
    assert due[:, 0].mean() == pytest.approx(0.25, abs=0.03)
    assert due[:, 0].mean() == pytest.approx(due[:, 4].mean(), abs=0.03)


def test_intervals_of_a_rhythm_lie_around_multiples_of_its_period(market: Market) -> None:
    owners = np.repeat(np.arange(len(market.customers)), market.sequences.lengths)
    rhythmic = np.flatnonzero((market.causes == RHYTHM) & (market.periods == 7))
    same = (np.diff(owners[rhythmic]) == 0) & (np.diff(market.cycles[rhythmic]) == 1)
    same &= np.diff(market.sequences.events[rhythmic]) == 0
    intervals = np.diff(market.sequences.positions[rhythmic])[same]
    assert (np.abs(intervals - 7 * np.round(intervals / 7)) <= 2).all()
    assert (intervals == 7).mean() > 0.7
    assert (intervals > 9).mean() < 0.2  # missed, or lost to another rhythm


def test_interests_differ_and_shift_as_often_as_in_the_settings(market: Market) -> None:
    first, second = market.interests.T
    assert (first != second).all()
    inside = market.sequences.positions[1:] > 0
    shifts = (np.diff(first) != 0) & inside
    assert shifts.sum() / inside.sum() == pytest.approx(DEFAULT.interest_shift, abs=0.002)
    assert (second[1:] == first[:-1])[shifts].all()


def test_a_customer_has_each_standing_item_once_by_falling_period(market: Market) -> None:
    items, periods = market.customers.rhythm_items, market.customers.rhythm_periods
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert ((items[:, one] != items[:, other]) | (items[:, other] == 0)).all()
    assert (np.diff(periods, axis=1) <= 0).all()
    assert ((items > 0) == (periods > 0)).all()
    assert not market.shop.catalogue.arrival[items[items > 0] - 1].any()
    counts = np.bincount((items > 0).sum(axis=1), minlength=4) / len(items)
    assert counts == pytest.approx(np.array(DEFAULT.rhythm_counts), abs=0.06)
