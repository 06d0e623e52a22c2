import numpy as np
import pytest

from m2rec.evaluation.bootstrap import mean_interval
from m2rec.evaluation.figures import differences, figure_of, with_intervals
from m2rec.evaluation.metrics import METRICS
from m2rec.evaluation.protocol import Evaluation


def test_every_figure_is_the_mean_with_its_interval_over_users():
    rng = np.random.default_rng(2)
    users = np.repeat(np.arange(30), 4)
    both = {"unmasked": rng.integers(1, 40, 120).astype(float), "masked": rng.integers(1, 30, 120).astype(float)}
    evaluation = Evaluation(users, np.tile(np.arange(4), 30), both)
    found = with_intervals(evaluation)
    assert set(found) == set(both)
    assert all(tuple(rows) == METRICS for rows in found.values())
    assert {name: figure.value for name, figure in found["masked"].items()} == pytest.approx(
        evaluation.figures["masked"]
    )
    assert "masked" not in with_intervals(Evaluation(users, users, both | {"masked": np.full(120, np.nan)}))
    hits = mean_interval((both["unmasked"] <= 10).astype(float), users)
    figure = found["unmasked"]["HR@10"]
    assert (figure.low, figure.high) == (hits.low, hits.high)


def test_the_figures_of_a_single_user_have_no_interval():
    evaluation = Evaluation(
        np.zeros(2, dtype=int), np.arange(2), {"unmasked": np.array([1.0, 30.0]), "masked": np.array([np.nan, 4.0])}
    )
    found = with_intervals(evaluation)
    assert (found["unmasked"]["HR@10"].value, found["masked"]["HR@10"].value) == (0.5, 1)
    assert {figure.low for rows in found.values() for figure in rows.values()} == {None}
    assert differences(evaluation, evaluation) == {}


def test_users_without_a_rank_do_not_count():
    assert figure_of(np.array([1.0, np.nan]), np.array([0, 1])).low is None
    assert figure_of(np.array([1.0, 0.0]), np.array([0, 1])).low == 0
