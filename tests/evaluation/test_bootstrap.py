import numpy as np
import pytest

from m2rec.evaluation.bootstrap import mean_interval, paired_difference

RNG = np.random.default_rng(3)


def test_the_interval_of_a_mean_is_that_of_the_normal_law():
    values = RNG.normal(5, 2, 4000)
    found = mean_interval(values)
    error = values.std() / np.sqrt(4000)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_many_targets_of_one_user_are_not_many_users():
    per_user = RNG.normal(0, 1, 100)
    users = np.repeat(np.arange(100), 50)
    values = np.repeat(per_user, 50)
    whole, alone = mean_interval(values, users), mean_interval(per_user)
    assert (whole.low, whole.value, whole.high) == pytest.approx((alone.low, alone.value, alone.high))
    assert mean_interval(values).high - mean_interval(values).low < 0.3 * (whole.high - whole.low)


def test_users_with_more_targets_weigh_more():
    assert mean_interval(np.array([1.0, 1.0, 1.0, 0.0]), np.array([8, 8, 8, 2])).value == 0.75


def test_targets_without_a_rank_do_not_count():
    values, users = np.array([1.0, np.nan, 0.0, 1.0, np.nan]), np.array([0, 0, 1, 2, 3])
    there = ~np.isnan(values)
    assert mean_interval(values, users) == mean_interval(values[there], users[there])
    assert paired_difference(values, np.zeros(5), users) == paired_difference(values[there], np.zeros(3), users[there])
    with pytest.raises(ValueError, match="at least two users"):
        mean_interval(values[:2], users[:2])


def test_a_clear_lead_is_sure_and_none_is_not():
    base = RNG.normal(0, 1, 2000)
    sure = paired_difference(base + RNG.normal(0.2, 0.5, 2000), base)
    assert sure.low > 0
    assert sure.p == pytest.approx(2 / 10_001)
    noise = RNG.normal(0, 1, 2000)
    unsure = paired_difference(base + noise - noise.mean(), base)
    assert unsure.low < 0 < unsure.high
    assert unsure.p > 0.8


def test_a_paired_test_detects_what_two_intervals_do_not():
    base = RNG.normal(0, 10, 500)
    a = base + RNG.normal(0.1, 0.1, 500)
    assert mean_interval(a).low < mean_interval(base).high
    assert paired_difference(a, base).p < 0.01


def test_equal_models_differ_by_nothing():
    found = paired_difference(np.ones(50), np.ones(50))
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_turning_the_sides_round_turns_the_answer_round():
    a, b = RNG.random(300), RNG.random(300)
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.p == other.p


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    values = RNG.random(200)
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_one_user_gives_no_interval():
    with pytest.raises(ValueError, match="two users"):
        mean_interval(np.ones(5), np.zeros(5, dtype=int))


def test_different_targets_cannot_be_paired():
    with pytest.raises(ValueError, match="same targets"):
        paired_difference(np.ones(5), np.ones(4))
