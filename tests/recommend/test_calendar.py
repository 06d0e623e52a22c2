import numpy as np
import pytest

from m2rec.recommend.calendar import calendar_of, calendar_spectrum
from m2rec.recommend.recommender import Recommender

COFFEE, OTHERS = 0, 12


def idle_days(period: int, seed: int, days: int = 140) -> tuple[np.ndarray, np.ndarray]:
    """Item 0 every `period` days, on about half of the other days one of the rest: one-hot vectors and their days."""
    chance = np.random.default_rng(seed)
    pairs = [
        (day, COFFEE if day % period == 0 else chance.integers(1, OTHERS))
        for day in range(days)
        if day % period == 0 or chance.random() < 0.5
    ]
    when, what = np.array(pairs).T
    return np.eye(OTHERS)[what], when


@pytest.mark.parametrize("period", [5, 7, 10])
def test_a_rhythm_of_days_is_found_though_days_are_missing(period: int) -> None:
    found = calendar_spectrum(*idle_days(period, seed=1))
    assert found is not None
    assert found.significant[0] == period
    assert period in found.peaks


def test_items_shuffled_among_the_dates_hardly_ever_stand_out() -> None:
    vectors, days = idle_days(7, seed=2)
    chance = np.random.default_rng(3)
    quiet = 0
    for _ in range(20):
        found = calendar_spectrum(chance.permutation(vectors), days)
        assert found is not None
        quiet += not found.significant
    assert quiet >= 17


def test_sittings_at_which_things_are_alike_are_no_rhythm() -> None:
    chance = np.random.default_rng(4)
    days = np.repeat(np.sort(chance.choice(400, size=30, replace=False)), 6)
    kinds = np.repeat(chance.integers(0, OTHERS, size=30), 6)
    found = calendar_spectrum(np.eye(OTHERS)[kinds], days)
    assert found is not None
    assert found.significant == []


def test_power_is_one_on_average_where_dates_say_nothing() -> None:
    vectors, days = idle_days(7, seed=5)
    chance = np.random.default_rng(6)
    power = [calendar_spectrum(chance.permutation(vectors), days).power for _ in range(12)]  # type: ignore[union-attr]
    assert np.mean(power) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("days", [[], [1] * 30, list(range(5)), [0, 1, 2, 3, 0, 1, 2, 3] * 3])
def test_without_dates_enough_there_is_no_clock(days: list[int]) -> None:
    assert calendar_spectrum(np.ones((len(days), 3)), np.array(days, dtype=float)) is None


def test_places_without_a_date_and_items_too_old_to_be_read_are_left_out(tiny_world: object) -> None:
    world = Recommender.from_pretrained(str(tiny_world))
    ids = [item.item_id for item in world.items]
    history = [ids[place % 25] for place in range(world.max_history + 3)]
    days: list[int | None] = [0, 0, 0, *range(100, 100 + world.max_history)]
    days[10] = None
    found = calendar_of(world, history, days)
    assert found is not None
    assert (found.dates, found.span) == (world.max_history - 1, world.max_history - 1)
    assert calendar_of(world, history, [None] * len(history)) is None
