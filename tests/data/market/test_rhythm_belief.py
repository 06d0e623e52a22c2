"""The likelihood of a hypothesis, against numbers worked out by hand."""

import numpy as np
import pytest

from m2rec.data.market.oracles.rhythm_belief import RhythmBelief
from m2rec.data.market.settings import MarketSettings

A, B = 1, 2  # A may be standing, B never is
ONLY_THREES = tuple(1.0 if period == 3 else 0.0 for period in range(2, 29))
ONE_ITEM = np.array([0.0, 1.0, 0.0])


def believer(slip: float, miss: float) -> RhythmBelief:
    """Half of all customers have one rhythm; its period is 3 and its item A."""
    strict = MarketSettings(slip=slip, miss=miss, rhythm_counts=(0.5, 0.5, 0, 0), period_weights=ONLY_THREES)
    return RhythmBelief(strict, ONE_ITEM, customers=1, days=12)


def due_after(belief: RhythmBelief, history: list[tuple[int, float]]) -> float:
    """P(the rhythm of A is due) after days of (item, its probability without a rhythm)."""
    for item, base in history:
        belief.expect()
        belief.observe(np.array([item]), np.array([base]))
    items, none = belief.expect()
    assert items[0].sum() + none[0] == pytest.approx(1)
    assert items[0, A] == pytest.approx(1 - none[0])
    return float(items[0, A])


def test_the_rhythm_is_found_day_by_day() -> None:
    """Weights of no rhythm and of the phases 0, 1, 2, without slips: a rhythm comes on its days and on no other."""
    history = [(A, 0.25), (B, 0.5), (B, 0.5)]
    assert due_after(believer(0, 0), []) == pytest.approx(1 / 6)
    # day 0, A: .5 · .25, 1/6 · 1, 1/6 · .25 twice
    assert due_after(believer(0, 0), history[:1]) == pytest.approx((1 / 24) / (1 / 8 + 1 / 6 + 2 / 24))  # 1/9
    # day 1, B: phase 1 is out, the others halve
    assert due_after(believer(0, 0), history[:2]) == pytest.approx((1 / 48) / (1 / 16 + 1 / 12 + 1 / 48))  # 1/8
    # day 2, B: phase 2 is out
    assert due_after(believer(0, 0), history) == pytest.approx((1 / 24) / (1 / 32 + 1 / 24))  # 4/7


def test_a_missed_day_costs_the_probability_of_a_miss() -> None:
    history = [(A, 0.25), (B, 0.5), (B, 0.5), (B, 0.5)]
    # with misses at .1: phase 0 is bought, not due, not due, missed
    none, zero = 0.5 * 0.25 * 0.5**3, 1 / 6 * (0.9 + 0.1 * 0.25) * 0.5**2 * (0.1 * 0.5)
    one = 1 / 6 * 0.25 * (0.1 * 0.5) * 0.5**2
    two = 1 / 6 * 0.25 * 0.5 * (0.1 * 0.5) * 0.5
    assert due_after(believer(0, 0.1), history) == pytest.approx(0.9 * one / (none + zero + one + two))


def test_a_slip_is_forgiven_at_its_price() -> None:
    """Bought on day 0 and on day 4: a period of 3 with a slip is likelier than chance, so day 6 or 7 is awaited."""
    history = [(A, 0.01), (B, 0.3), (B, 0.3), (B, 0.3), (A, 0.01), (B, 0.3)]
    assert due_after(believer(0, 0.005), history) < 0.2
    assert due_after(believer(0.1, 0.005), history) > 0.4


def test_an_item_that_can_not_be_standing_is_never_expected() -> None:
    belief = believer(0.03, 0.05)
    for _ in range(4):
        belief.expect()
        belief.observe(np.array([B]), np.array([0.2]))
        assert belief.expect()[0][0, B] == 0


def test_a_customer_has_no_more_rhythms_than_there_can_be() -> None:
    """Three items on a strict turn of 3; where at most one rhythm exists they cannot all be standing."""
    standing = np.array([0, 0.3, 0.3, 0.4])
    history = [1, 2, 3] * 3

    def expected(rhythm_counts: tuple[float, ...]) -> float:
        chosen = MarketSettings(rhythm_counts=rhythm_counts, period_weights=ONLY_THREES)
        belief = RhythmBelief(chosen, standing, customers=1, days=12)
        for item in history:
            belief.expect()
            belief.observe(np.array([item]), np.array([0.1]))
        belief.expect()
        return float(belief._standing.sum())

    assert expected((0.5, 0.5, 0.0, 0.0)) <= 1
    assert 2 < expected((0.25, 0.25, 0.25, 0.25)) <= 3
