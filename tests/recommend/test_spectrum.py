"""Known rhythms and known noise: the first must stand out, the second must not."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from m2rec.recommend.spectrum import (
    LONGEST_PERIOD,
    SHORTEST_HISTORY,
    Periodogram,
    gain_at,
    periodogram,
    periods_of,
    power_by_harmonics,
)

ITEMS = 60


def shop(seed: int = 0) -> Tensor:
    """Unit vectors of 60 items: (60, 24)."""
    vectors = torch.randn(ITEMS, 24, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=-1)


def noise(length: int, seed: int) -> Tensor:
    """Items chosen at random: (length, 24)."""
    return shop()[torch.randint(ITEMS, (length,), generator=torch.Generator().manual_seed(seed))]


def with_rhythm(period: int, length: int, seed: int = 0) -> Tensor:
    """One item at every `period`-th place, the rest random."""
    vectors = noise(length, seed)
    vectors[period - 1 :: period] = shop()[7]
    return vectors


def exceeding(found: Periodogram) -> list[int]:
    """Periods above the threshold, the one that exceeds it most first."""
    ratio = found.power / found.threshold
    return [int(found.period[i]) for i in ratio.argsort(descending=True) if ratio[i] > 1]


# ── known answers ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("period", [3, 5, 7, 10, 14])
def test_an_item_that_comes_back_after_p_choices_peaks_at_p(period: int) -> None:
    """Each time above the threshold, and at least four times of five the clearest, before its own divisors."""
    found = [exceeding(periodogram(with_rhythm(period, 14 * period, seed))) for seed in range(5)]
    assert all(period in peaks for peaks in found)
    assert sum(peaks[0] == period for peaks in found) >= 4


@pytest.mark.parametrize("period", [2, 3, 5, 7, 10, 14])
def test_the_same_items_round_and_round_peak_at_the_length_of_the_round(period: int) -> None:
    found = periodogram(shop()[torch.arange(8 * period) % period])
    assert exceeding(found)[:1] == [period]


def test_a_perfect_round_has_the_power_of_its_cycles() -> None:
    """All of the energy lies at the p − 1 harmonics of the period: n · p / (p − 1), here 12 · 5 / 4."""
    found = periodogram(shop()[torch.arange(60) % 5])
    torch.testing.assert_close(found.power[found.period == 5], torch.tensor([15.0]), atol=1e-3, rtol=0)


def test_chance_crosses_the_threshold_anywhere_in_about_one_history_of_twenty() -> None:
    """Binomial, 5 % of 200: 10 ± 3. A threshold that is too low by a tenth lets through twice as many."""
    crossed = sum(bool(exceeding(periodogram(noise(80, seed)))) for seed in range(200))
    assert 1 <= crossed <= 16


def test_a_shuffled_rhythm_is_chance() -> None:
    crossed = 0
    for seed in range(100):
        vectors = with_rhythm(7, 84, seed)
        order = torch.randperm(84, generator=torch.Generator().manual_seed(1000 + seed))
        crossed += bool(exceeding(periodogram(vectors[order])))
    assert crossed <= 10


def test_noise_has_power_one_on_average() -> None:
    mean = torch.stack([periodogram(noise(80, seed)).power for seed in range(60)]).mean(0)
    torch.testing.assert_close(mean, torch.ones_like(mean), atol=0.15, rtol=0)


@pytest.mark.parametrize("length", [6, 7, 40, 200])
def test_one_item_over_and_over_has_no_rhythm(length: int) -> None:
    found = periodogram(shop()[3].expand(length, -1).clone())
    assert exceeding(found) == []
    assert torch.isfinite(found.power).all()
    assert torch.isfinite(found.threshold).all()


def test_a_slow_drift_of_taste_is_not_taken_for_a_short_rhythm() -> None:
    halves = torch.cat([torch.randint(0, 30, (60,)), torch.randint(30, 60, (60,))])
    assert not set(exceeding(periodogram(shop()[halves]))) & set(range(2, 8))


# ── which periods ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("length", range(SHORTEST_HISTORY))
def test_a_short_history_shows_no_periods_at_all(length: int) -> None:
    found = periodogram(noise(length, 0) if length else torch.zeros(0, 24))
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
    few = torch.randn(3, width, generator=torch.Generator().manual_seed(seed))  # three directions: all are kept
    weights = torch.randn(length, 3, generator=torch.Generator().manual_seed(seed + 1))
    vectors = weights @ few
    found = periodogram(vectors)
    torch.testing.assert_close(found.power, power_by_harmonics(vectors, found.period), atol=2e-3, rtol=2e-3)


def test_the_definition_by_hand() -> None:
    """+1, −1, … : all energy at f = 1/2, so |X(1/2)|² / Σx² = 6² / 6, and none at 1/3 and 2/3."""
    flips = torch.tensor([1.0, -1.0]).repeat(3)[:, None]
    torch.testing.assert_close(
        power_by_harmonics(flips, torch.tensor([2, 3])), torch.tensor([6.0, 0.0]), atol=1e-5, rtol=0
    )


def test_the_same_history_has_the_same_threshold_every_time() -> None:
    first, second = periodogram(noise(50, 1)), periodogram(noise(50, 1))
    assert torch.equal(first.threshold, second.threshold)
    assert torch.equal(first.power, second.power)


def test_a_history_does_not_disturb_the_dice_of_its_caller() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    periodogram(noise(50, 1))
    assert torch.equal(torch.rand(2), expected)


# ── the filter's gain ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("period", [3, 5, 7])
def test_a_comb_has_its_largest_gain_at_its_own_period(period: int) -> None:
    comb = torch.zeros(128)
    comb[period - 1 :: period] = 1
    gain = gain_at(comb, periods_of(100))
    assert int(gain.argmax()) + 2 == period
    torch.testing.assert_close(gain.max(), torch.tensor(1.0))
    assert (gain >= 0).all()


def test_a_filter_of_one_tap_treats_every_period_alike() -> None:
    tap = torch.zeros(16)
    tap[4] = 0.3
    gain = gain_at(tap, periods_of(40))
    torch.testing.assert_close(gain, torch.ones_like(gain))


def test_the_gain_by_hand() -> None:
    """Taps 1, 1 pass |1 + e^(−2πif)|: nothing at f = 1/2, and 1 at f = 1/3."""
    gain = gain_at(torch.tensor([1.0, 1.0]), periods_of(6))
    torch.testing.assert_close(gain, torch.tensor([0.0, 1.0]), atol=1e-6, rtol=0)


def test_a_filter_that_is_off_has_no_gain_and_a_short_history_none_to_show() -> None:
    assert gain_at(torch.zeros(16), periods_of(12)).tolist() == [0.0] * 5
    assert gain_at(torch.ones(16), periods_of(3)).tolist() == []
