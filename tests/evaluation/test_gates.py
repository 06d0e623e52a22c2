import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from m2rec.data.split import Split
from m2rec.evaluation.gates import auc, gate_report, gate_weights
from tests.evaluation.toy import V, prepared_from
from tests.tiny_world import random_model, tiny_config


def brute_force(scores, positive):
    pairs = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    return sum(pairs) / len(pairs)


def test_auc_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    assert auc(scores, np.array([True, True, False, False])) == 1
    assert auc(scores, np.array([False, False, True, True])) == 0
    assert auc(scores, np.array([True, False, True, False])) == 0.75  # of four pairs, only .7 against .8 is lost
    assert auc(np.array([0.5, 0.5, 0.2]), np.array([True, False, False])) == 0.75  # one tie, one win


@given(
    arrays.arrays(np.float64, 9, elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    arrays.arrays(np.bool_, 9).filter(lambda mask: 0 < mask.sum() < 9),
)
def test_auc_is_the_share_of_pairs_won(scores, positive):
    assert auc(scores, positive) == pytest.approx(brute_force(scores, positive))


def test_auc_needs_both_kinds():
    with pytest.raises(ValueError, match="at least one event with the cause and one without"):
        auc(np.ones(3), np.ones(3, dtype=bool))


CAUSES = np.array(["rhythm", "chain", "taste", "rhythm", "chain", "taste"])
GATES = np.array(
    [
        [0.1, 0.8, 0.1],
        [0.7, 0.2, 0.1],
        [0.2, 0.3, 0.5],
        [0.6, 0.1, 0.3],  # a rhythm that the gate missed
        [0.5, 0.3, 0.2],
        [0.1, 0.3, 0.6],
    ]
)
PERIODS = np.array([7, 0, 0, 14, 0, 0])
CYCLES = np.array([9, 0, 0, 1, 0, 0])


def test_each_gate_is_compared_with_its_own_cause():
    gates = gate_report(GATES, CAUSES, PERIODS, CYCLES).gates
    # temporal: .7 and .5 on chains, the rest .1 .2 .6 .1: seven of eight pairs won
    assert gates["temporal"].auc == 7 / 8
    assert gates["frequency"].auc == 0.5  # .8 wins all four pairs, .1 none
    assert gates["semantic"].auc == 1
    assert gates["frequency"].weight_with == pytest.approx(0.45)
    assert gates["frequency"].weight_without == pytest.approx(1.1 / 4)
    assert [gates[branch].targets for branch in ("temporal", "frequency", "semantic")] == [2, 2, 2]


def test_rhythms_are_also_graded_by_period_and_by_cycles_seen():
    report = gate_report(GATES, CAUSES, PERIODS, CYCLES)
    assert {period: row.auc for period, row in report.by_period.items()} == {"7": 1.0, "14": 0.0}
    assert {count: row.auc for count, row in report.by_cycles.items()} == {"1": 0.0, "6+": 1.0}


def test_a_cause_that_no_event_has_is_left_out():
    kept = CAUSES != "rhythm"
    report = gate_report(GATES[kept], CAUSES[kept], PERIODS[kept], CYCLES[kept])
    assert set(report.gates) == {"temporal", "semantic"}
    assert report.by_period == report.by_cycles == {}


def test_a_cause_that_every_event_has_is_left_out():
    kept = CAUSES == "rhythm"
    report = gate_report(GATES[kept], CAUSES[kept], PERIODS[kept], CYCLES[kept])
    assert report.gates == report.by_period == report.by_cycles == {}


def test_the_oracle_is_measured_the_same_way():
    knows = (CAUSES[:, None] == np.array(["chain", "rhythm", "taste"])).astype(float)
    report = gate_report(GATES, CAUSES, PERIODS, CYCLES, oracle=knows)
    assert [row.oracle for row in report.gates.values()] == [1, 1, 1]
    assert report.by_period["14"].oracle == 1
    assert gate_report(GATES, CAUSES, PERIODS, CYCLES).gates["temporal"].oracle is None


def test_the_weights_are_those_before_each_target():
    histories = [[1, 2, 3, 1, 2, 3], [5, 4, 5, 4, 7]]
    zeros, ones, ends = np.zeros(2, dtype=np.int64), np.ones(2, dtype=np.int64), np.array([6, 5])
    prepared = prepared_from(histories, Split(zeros, ones, ends, ends, ends))
    model = random_model(tiny_config(items=V, warm_items=V - 1)).train()
    found = gate_weights(model, prepared, "validation", 4)
    assert model.training
    model.eval()
    expected = []
    for history in histories:
        for place in range(1, len(history)):
            seen = torch.tensor([history[max(0, place - 4) : place]])
            expected.append(model.encode_last(seen).log_gate[0].exp().tolist())
    assert found == pytest.approx(np.array(expected), abs=1e-5)
    assert found.sum(1) == pytest.approx(1)
