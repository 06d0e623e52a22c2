"""Rhythms are found where they were put, and not where there are none."""

import numpy as np
import pytest

from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences
from m2rec.data.split import leave_one_out
from m2rec.errors import DataError
from m2rec.evaluation.rhythms import SECONDS_A_DAY, peak, power, rhythms


def made(people: list[list[tuple[int, int]]], clocks: bool = True) -> Prepared:
    """One list of (day, item) a person, in the order of the days."""
    sequences = Sequences.from_lists([[item for _, item in one] for one in people])
    items = int(sequences.events.max())
    days = np.array([day for one in people for day, _ in one], dtype=np.int64)
    names = [f"i{number}" for number in range(items)]
    return Prepared(
        name="made",
        sequences=sequences,
        split=leave_one_out(sequences),
        user_ids=[f"u{number}" for number in range(len(people))],
        item_ids=names,
        titles=names,
        texts=names,
        groups=names,
        warm_items=items,
        train_counts=np.ones(items, dtype=np.int64),
        text_vectors=np.zeros((items + 1, 2), dtype=np.float32),
        timestamps=days * SECONDS_A_DAY if clocks else None,
    )


def test_power_is_the_number_of_dates_where_all_fall_together_and_one_on_average_elsewhere() -> None:
    times = np.arange(0, 70, 7)
    assert power(times, np.array([7]))[0] == pytest.approx(10)
    random = np.random.default_rng(0).integers(0, 365, (2000, 12))
    np.testing.assert_allclose(power(random, np.array([5, 9, 30])).mean(0), 1, atol=0.15)


def test_a_weekly_rhythm_is_found_and_named() -> None:
    rng = np.random.default_rng(1)
    p, period = peak(np.arange(0, 140, 7), np.arange(140), None, rng)
    assert (p, period) == (pytest.approx(1 / 200), 7)


@pytest.mark.parametrize("every", [6, 14, 28])
def test_a_rhythm_is_named_by_its_period_and_not_by_a_part_of_it(every: int) -> None:
    p, period = peak(np.arange(0, 20 * every, every), np.arange(20 * every), None, np.random.default_rng(1))
    assert (p, period) == (pytest.approx(1 / 200), every)


def test_what_the_draws_share_is_no_rhythm() -> None:
    """A shop that opens once a week makes everybody weekly; against its own days nobody is."""
    rng = np.random.default_rng(2)
    opened = np.arange(0, 700, 7)
    small = [peak(rng.choice(opened, 20, replace=False), opened, None, rng)[0] <= 0.05 for _ in range(60)]
    assert np.mean(small) < 0.2
    against_all_days = peak(np.sort(rng.choice(opened, 20, replace=False)), np.arange(700), None, rng)
    assert against_all_days == (pytest.approx(1 / 200), 7)


def test_a_rhythm_within_what_the_draws_share_is_named_by_its_own_period() -> None:
    """A fortnight's rhythm of someone whose shop opens once a week: both periods fit, and only one is theirs."""
    p, period = peak(np.arange(0, 280, 14), np.arange(0, 280, 7), None, np.random.default_rng(4))
    assert (p, period) == (pytest.approx(1 / 200), 14)


def test_weights_draw_busy_days_more_often() -> None:
    rng = np.random.default_rng(3)
    weights = np.where(np.arange(140) % 7 == 0, 100.0, 1.0)
    weekly = np.arange(0, 140, 7)
    assert peak(weekly[:12], np.arange(140), weights, rng)[0] > peak(weekly[:12], np.arange(140), None, rng)[0]


def test_an_item_of_every_third_time_is_distinguished_from_random_ones() -> None:
    rng = np.random.default_rng(4)
    regular, random = [], []
    for _ in range(30):
        days = np.sort(rng.choice(300, 30, replace=False))
        regular.append([(int(day), 1 if number % 3 == 0 else 2 + number) for number, day in enumerate(days)])
        chosen = set(rng.choice(30, 10, replace=False).tolist())
        random.append([(int(day), 1 if number in chosen else 2 + number) for number, day in enumerate(days)])
    *_, found = rhythms(made(regular))
    assert (found.cases, found.share) == (30, 1.0)
    assert next(iter(found.periods)) == 3
    assert found.p < 0.001
    *_, found = rhythms(made(random))
    assert found.cases == 30
    assert found.p > 0.01


def test_the_same_seed_finds_the_same() -> None:
    rng = np.random.default_rng(5)
    people = [[(int(day), 1) for day in np.sort(rng.choice(200, 15, replace=False))] for _ in range(5)]
    assert rhythms(made(people)) == rhythms(made(people))


def test_without_times_or_enough_days_it_says_so() -> None:
    with pytest.raises(DataError, match="no times"):
        rhythms(made([[(1, 1), (2, 1), (3, 1)]], clocks=False))
    with pytest.raises(DataError, match="on 10 days; ask for fewer"):
        rhythms(made([[(1, 1), (2, 1), (3, 1)]]))
