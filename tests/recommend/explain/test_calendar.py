import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lombscargle

from m2rec.recommend.explain.calendar import calendar_of, calendar_spectrum, lomb_scargle
from m2rec.recommend.recommender import Recommender

COFFEE, OTHERS = 0, 12
RECORDED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("recorded_spectra.json").read_text("utf-8"))[
    "calendar"
]


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


def test_power_is_one_on_average_for_random_dates() -> None:
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


@settings(max_examples=40)
@given(days=st.sets(st.integers(0, 300), min_size=3, max_size=60), channels=st.integers(1, 4), seed=st.integers(0, 99))
def test_power_is_that_of_scipy(days: set[int], channels: int, seed: int) -> None:
    times = np.array(sorted(days), dtype=float)
    if len(np.unique(times % 2)) == 1:
        times[-1] += 1  # at a period of two days, days of one kind have no sinusoid; SciPy divides by zero there
    values = np.random.default_rng(seed).standard_normal((2, len(times), channels))
    angular = 2 * np.pi / np.arange(2, 61)
    expected = [sum(lombscargle(times, each, angular, floating_mean=True) for each in copy.T) for copy in values]
    centred = values - values.mean(1, keepdims=True)
    assert lomb_scargle(times, centred, angular) == pytest.approx(np.array(expected), abs=1e-5, rel=1e-5)


def test_even_days_alone_give_no_period_of_two() -> None:
    values = np.random.default_rng(0).standard_normal((1, 20, 2))
    assert lomb_scargle(2.0 * np.arange(20), values, np.array([np.pi])) == pytest.approx(0)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["dates"])
def test_spectra_are_those_that_were_recorded_with_scipy(recorded: dict[str, Any]) -> None:
    chance = np.random.default_rng(recorded["dates"])
    days = np.sort(chance.choice(recorded["span"], recorded["dates"], replace=False)).astype(float)
    vectors = np.random.default_rng(0).standard_normal((60, 24)).astype(np.float32)[: recorded["dates"]]
    found = calendar_spectrum(vectors, days)
    assert found is not None
    assert found.power == pytest.approx(recorded["power"], abs=1e-5)
    assert found.threshold == pytest.approx(recorded["threshold"], abs=1e-5)
