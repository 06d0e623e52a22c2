import math

import ir_measures
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from m2rec.errors import NotFiniteError
from m2rec.evaluation.metrics import METRICS, outcomes, ranks, summary

N, V = 4, 6
# few levels, so that ties are common; exact in float32
SCORES = arrays.arrays(np.float32, (N, V), elements=st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0]))
TARGETS = arrays.arrays(np.int64, N, elements=st.integers(1, V))
SEEN = arrays.arrays(np.bool_, (N, V))


def ranks_of(scores, targets, seen=None):
    found = ranks(torch.as_tensor(scores), torch.as_tensor(targets), None if seen is None else torch.as_tensor(seen))
    return found.numpy()


def test_rank_counts_the_items_above():
    scores = np.array([[0.1, 0.9, 0.5], [0.1, 0.9, 0.5], [0.1, 0.9, 0.5]])
    assert ranks_of(scores, np.array([1, 2, 3])).tolist() == [3, 1, 2]


def test_ties_share_the_mean_of_their_places():
    # above the tie: one item; in it: three, at places 2, 3 and 4
    assert ranks_of([[7.0, 5.0, 5.0, 5.0, 1.0]], [3]).tolist() == [3.0]
    # all five alike: the mean place is 3, and two alike on top are each at 1.5
    assert ranks_of([[2.0] * 5], [1]).tolist() == [3.0]
    assert ranks_of([[4.0, 4.0, 1.0]], [2]).tolist() == [1.5]


def test_seen_items_do_not_compete_and_the_target_always_does():
    scores = [[9.0, 8.0, 7.0, 7.0]]
    assert ranks_of(scores, [3], [[True, False, False, False]]).tolist() == [2.5]
    assert ranks_of(scores, [3], [[True, False, False, True]]).tolist() == [2.0]
    assert ranks_of(scores, [3], [[True, True, True, True]]).tolist() == [1.0]


def test_a_score_that_is_not_a_number_is_refused_and_not_ranked_first():
    with pytest.raises(NotFiniteError, match="not a number"):
        ranks_of([[float("nan"), 1.0]], [1])


def test_metrics_by_hand():
    found = summary(np.array([1.0, 3.0, 7.0, 15.0]))
    assert found["HR@5"] == 0.5
    assert found["HR@10"] == 0.75
    assert found["HR@20"] == 1.0
    assert found["NDCG@5"] == pytest.approx((1 + 1 / 2) / 4)
    assert found["NDCG@10"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)
    assert found["NDCG@20"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert found["MRR@10"] == pytest.approx((1 + 1 / 3 + 1 / 7) / 4)
    assert found["MRR@20"] == pytest.approx((1 + 1 / 3 + 1 / 7 + 1 / 15) / 4)
    assert tuple(found) == METRICS


def test_half_ranks_count_as_what_they_are():
    assert outcomes(np.array([10.5]), "HR@10").tolist() == [0.0]
    assert outcomes(np.array([9.5]), "HR@10").tolist() == [1.0]
    assert outcomes(np.array([1.5]), "MRR@10").tolist() == [1 / 1.5]
    assert outcomes(np.array([1.5]), "NDCG@10")[0] == pytest.approx(1 / math.log2(2.5))


def test_unknown_metrics_are_refused():
    with pytest.raises(ValueError, match="not a metric"):
        outcomes(np.array([1.0]), "recall@10")


def test_figures_equal_those_of_ir_measures():
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(40, 60))
    targets = rng.integers(1, 61, 40)
    # every item's own rank, with its sign turned, is the score to hand over: ir_measures breaks ties differently for
    # different metrics, and ranks of distinct scores have none
    places = (-scores).argsort(1).argsort(1) + 1
    run = [
        ir_measures.ScoredDoc(str(row), str(item + 1), -float(places[row, item]))
        for row in range(40)
        for item in range(60)
    ]
    truth = [ir_measures.Qrel(str(row), str(target), 1) for row, target in enumerate(targets)]
    names = {
        **{f"HR@{k}": f"Success@{k}" for k in (5, 10, 20)},
        **{f"NDCG@{k}": f"nDCG@{k}" for k in (5, 10, 20)},
        **{f"MRR@{k}": f"RR@{k}" for k in (10, 20)},
    }
    theirs = ir_measures.calc_aggregate([ir_measures.parse_measure(name) for name in names.values()], truth, run)
    theirs = {str(measure): value for measure, value in theirs.items()}
    ours = summary(ranks_of(scores, targets))
    assert ours == pytest.approx({metric: theirs[name] for metric, name in names.items()})


@given(SCORES, TARGETS, SEEN)
def test_ranks_lie_in_the_catalogue_and_hiding_items_never_hurts(scores, targets, seen):
    plain, masked = ranks_of(scores, targets), ranks_of(scores, targets, seen)
    assert ((plain >= 1) & (plain <= V)).all()
    assert (masked >= 1).all()
    assert (masked <= plain).all()


@given(SCORES, TARGETS, st.randoms(use_true_random=False))
def test_the_order_of_the_catalogue_does_not_matter(scores, targets, random):
    order = list(range(V))
    random.shuffle(order)
    moved = np.array([order.index(target - 1) + 1 for target in targets])
    assert ranks_of(scores[:, order], moved).tolist() == ranks_of(scores, targets).tolist()


@given(SCORES, TARGETS)
def test_any_rising_function_of_the_scores_ranks_alike(scores, targets):
    assert ranks_of(np.arctan(scores) * 3 + 1, targets).tolist() == ranks_of(scores, targets).tolist()


@given(SCORES)
def test_the_ranks_of_a_row_add_up_as_without_ties(scores):
    every = [ranks_of(scores, np.full(N, item)) for item in range(1, V + 1)]
    assert np.sum(every, axis=0).tolist() == [V * (V + 1) / 2] * N


@settings(max_examples=50)
@given(arrays.arrays(np.float64, 5, elements=st.floats(1, 30)), st.integers(0, 4), st.floats(0.1, 5))
def test_a_better_rank_never_lowers_a_figure(found, which, gain):
    better = found.copy()
    better[which] = max(1.0, better[which] - gain)
    before, after = summary(found), summary(better)
    assert all(after[metric] >= before[metric] for metric in METRICS)
    assert all(0 <= value <= 1 for value in after.values())
