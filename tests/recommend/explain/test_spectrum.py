"""Known rhythms and known noise: the first must stand out, the second must not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m2rec.recommend.explain import spectrum
from m2rec.recommend.explain.spectrum import (
    LONGEST_PERIOD,
    SHORTEST_HISTORY,
    Periodogram,
    gain_at,
    item_periodogram,
    item_signals,
    periodogram,
    periods_of,
    power_by_harmonics,
)

ITEMS = 60
RECORDED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("recorded_spectra.json").read_text("utf-8"))[
    "spectrum"
]


def shop() -> np.ndarray:
    """Unit vectors of 60 items: float32 (60, 24)."""
    vectors = np.random.default_rng(0).standard_normal((ITEMS, 24)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def noise(length: int, seed: int) -> np.ndarray:
    """Items chosen at random: (length,)."""
    return np.random.default_rng(seed).integers(ITEMS, size=length)


def with_rhythm(period: int, length: int, seed: int = 0) -> np.ndarray:
    """One item at every `period`-th place, the rest random."""
    items = noise(length, seed)
    items[period - 1 :: period] = 7
    return items


def by_vectors(items: np.ndarray) -> Periodogram:
    """What a world shows where nothing recurs exactly."""
    return periodogram(shop()[items])


both = pytest.mark.parametrize("measure", [by_vectors, item_periodogram], ids=["vectors", "items"])


def exceeding(found: Periodogram) -> list[int]:
    """Periods above the threshold, the one that exceeds it most first."""
    ratio = found.power / found.threshold
    return [int(found.period[i]) for i in (-ratio).argsort(kind="stable") if ratio[i] > 1]


# ── known answers ───────────────────────────────────────────────────────────────────────────────────────────────


@both
@pytest.mark.parametrize("period", [3, 5, 7, 10, 14])
def test_an_item_that_comes_back_after_p_choices_peaks_at_p(period: int, measure: Any) -> None:
    """Each time above the threshold, and at least four times of five the clearest, before its own divisors."""
    found = [exceeding(measure(with_rhythm(period, 14 * period, seed))) for seed in range(5)]
    assert all(period in peaks for peaks in found)
    assert sum(peaks[0] == period for peaks in found) >= 4


@both
@pytest.mark.parametrize("period", [2, 3, 5, 7, 10, 14])
def test_the_same_items_round_and_round_peak_at_the_length_of_the_round(period: int, measure: Any) -> None:
    assert exceeding(measure(np.arange(8 * period) % period))[:1] == [period]


@both
def test_a_perfect_round_has_the_power_of_its_cycles(measure: Any) -> None:
    """All of the energy lies at the p − 1 harmonics of the period: n · p / (p − 1), here 12 · 5 / 4."""
    found = measure(np.arange(60) % 5)
    assert found.power[found.period == 5] == pytest.approx(15, abs=1e-3)


@both
def test_chance_crosses_the_threshold_anywhere_in_about_one_history_of_twenty(measure: Any) -> None:
    """Binomial, 5 % of 200: 10 ± 3. A threshold that is too low by a tenth lets through twice as many."""
    crossed = sum(bool(exceeding(measure(noise(80, seed)))) for seed in range(200))
    assert 1 <= crossed <= 16


@both
def test_a_shuffled_rhythm_is_chance(measure: Any) -> None:
    crossed = 0
    for seed in range(100):
        items = np.random.default_rng(1000 + seed).permutation(with_rhythm(7, 84, seed))
        crossed += bool(exceeding(measure(items)))
    assert crossed <= 10


@both
def test_noise_has_power_one_on_average(measure: Any) -> None:
    mean = np.mean([measure(noise(80, seed)).power for seed in range(60)], axis=0)
    assert mean == pytest.approx(np.ones_like(mean), abs=0.15)


@both
@pytest.mark.parametrize("length", [6, 7, 40, 200])
def test_one_item_over_and_over_has_no_rhythm(length: int, measure: Any) -> None:
    found = measure(np.full(length, 3))
    assert exceeding(found) == []
    assert np.isfinite(found.power).all()
    assert np.isfinite(found.threshold).all()


@pytest.mark.parametrize("length", [6, 40, 200])
def test_items_that_never_come_back_have_no_rhythm(length: int) -> None:
    assert exceeding(item_periodogram(np.arange(length))) == []


@both
def test_a_slow_drift_of_taste_is_not_taken_for_a_short_rhythm(measure: Any) -> None:
    chance = np.random.default_rng(2)
    halves = np.concatenate([chance.integers(0, 30, 60), chance.integers(30, 60, 60)])
    assert not set(exceeding(measure(halves))) & set(range(2, 8))


# ── which periods ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", range(SHORTEST_HISTORY))
def test_a_short_history_shows_no_periods_at_all(length: int) -> None:
    for found in (by_vectors(noise(length, 0)), item_periodogram(noise(length, 0))):
        assert [len(part) for part in (found.period, found.power, found.threshold)] == [0, 0, 0]


def test_periods_go_from_two_to_half_the_history_and_no_further_than_can_be_shown() -> None:
    assert periods_of(6).tolist() == [2, 3]
    assert periods_of(21).tolist() == list(range(2, 11))
    assert int(periods_of(1000)[-1]) == LONGEST_PERIOD


# ── how it is computed ──────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=25)
@given(length=st.integers(SHORTEST_HISTORY, 150), width=st.sampled_from([1, 3, 16, 40]), seed=st.integers(0, 99))
def test_power_is_that_of_its_definition_as_far_as_principal_directions_carry_it(
    length: int, width: int, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    few = chance.standard_normal((3, width))  # three directions: all are kept
    vectors = (chance.standard_normal((length, 3)) @ few).astype(np.float32)
    found = periodogram(vectors)
    assert found.power == pytest.approx(power_by_harmonics(vectors, found.period), abs=2e-3, rel=2e-3)


@settings(max_examples=60)
@given(
    items=st.integers(1, 40).flatmap(lambda kinds: st.lists(st.integers(1, kinds), min_size=6, max_size=150)),
    frequent=st.sampled_from([0.0, spectrum.FREQUENT, 100.0]),
)
def test_counting_pairs_gives_the_power_and_the_band_of_the_definition(items: list[int], frequent: float) -> None:
    """With every item by FFT, with none, and as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectrum, "FREQUENT", frequent)
        found = item_periodogram(np.array(items))
    signals = item_signals(np.array(items))
    if len(set(items)) > 1:
        assert found.power == pytest.approx(power_by_harmonics(signals, found.period), abs=1e-9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectrum, "CHANNELS", 1000)  # every item, none of them mixed with others
        assert found.threshold == pytest.approx(periodogram(signals).threshold, abs=1e-9)


@pytest.mark.parametrize("length", [90, 1500])
def test_a_long_history_is_counted_part_by_part(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    items = np.random.default_rng(1).integers(0, 25, size=length)
    whole = item_periodogram(items)
    monkeypatch.setattr(spectrum, "PAIRS_AT_ONCE", 4096)
    assert item_periodogram(items).threshold.tolist() == whole.threshold.tolist()


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["length"])
def test_spectra_are_those_that_were_recorded_with_pytorch(recorded: dict[str, Any]) -> None:
    chance = np.random.default_rng(recorded["length"])
    items = chance.integers(0, ITEMS, size=recorded["length"])
    items[recorded["period"] - 1 :: recorded["period"]] = 7
    found = by_vectors(items)
    gain = gain_at(chance.standard_normal(64).astype(np.float32), found.period)
    for measured, name in ((found.power, "power"), (found.threshold, "threshold"), (gain, "gain")):
        assert measured == pytest.approx(np.array(recorded[name]), abs=1e-5)


def test_the_definition_by_hand() -> None:
    """+1, −1, … : all energy at f = 1/2, so |X(1/2)|² / Σx² = 6² / 6, and none at 1/3 and 2/3."""
    flips = np.tile([1.0, -1.0], 3)[:, None]
    assert power_by_harmonics(flips, np.array([2, 3])) == pytest.approx([6, 0], abs=1e-9)


@both
def test_the_same_history_has_the_same_threshold_every_time(measure: Any) -> None:
    first, second = measure(noise(50, 1)), measure(noise(50, 1))
    assert first.threshold.tolist() == second.threshold.tolist()
    assert first.power.tolist() == second.power.tolist()


def test_a_history_does_not_disturb_the_dice_of_its_caller() -> None:
    np.random.seed(3)  # noqa: NPY002 the global state is what is looked at
    expected = np.random.rand(2)  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    item_periodogram(noise(50, 1))
    assert np.random.rand(2).tolist() == expected.tolist()  # noqa: NPY002


# ── the filter's gain ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("period", [3, 5, 7])
def test_a_comb_has_its_largest_gain_at_its_own_period(period: int) -> None:
    comb = np.zeros(128)
    comb[period - 1 :: period] = 1
    gain = gain_at(comb, periods_of(100))
    assert int(gain.argmax()) + 2 == period
    assert gain.max() == pytest.approx(1)
    assert (gain >= 0).all()


def test_a_filter_of_one_tap_treats_every_period_alike() -> None:
    tap = np.zeros(16)
    tap[4] = 0.3
    gain = gain_at(tap, periods_of(40))
    assert gain == pytest.approx(np.ones_like(gain), abs=1e-6)


def test_the_gain_by_hand() -> None:
    """Taps 1, 1 pass |1 + e^(−2πif)|: nothing at f = 1/2, and 1 at f = 1/3."""
    assert gain_at(np.ones(2), periods_of(6)) == pytest.approx([0, 1], abs=1e-6)


def test_a_filter_that_is_off_has_no_gain_and_a_short_history_none_to_show() -> None:
    assert gain_at(np.zeros(16), periods_of(12)).tolist() == [0.0] * 5
    assert gain_at(np.ones(16), periods_of(3)).tolist() == []
