"""Fewer users to learn from are part of more of them, and nothing else of the data changes."""

import numpy as np
import pytest

from m2rec.benchmark.accuracy.fewer_users import fewer_users
from m2rec.data.prepared import Prepared
from tests.benchmark.conftest import MakeJob


def learned_from(data: Prepared) -> set[int]:
    return set(np.flatnonzero(data.split.train_end > 0).tolist())


def test_so_many_users_are_learned_from_and_smaller_sets_are_part_of_larger_ones(prepared: Prepared) -> None:
    sets = [learned_from(fewer_users(prepared, count, None)) for count in (3, 7, 20)]
    assert [len(users) for users in sets] == [3, 7, 20]
    assert sets[0] < sets[1] < sets[2] < learned_from(prepared)


def test_their_histories_and_everybodys_targets_stay_as_they_were(prepared: Prepared) -> None:
    some = fewer_users(prepared, 5, None)
    kept = list(learned_from(some))
    assert np.array_equal(some.split.train_end[kept], prepared.split.train_end[kept])
    for part in ("validation", "test"):
        for found, expected in zip(some.split.targets(part), prepared.split.targets(part), strict=True):
            assert np.array_equal(found, expected)


def test_so_many_users_are_measured_on_and_none_is_learned_from_less(prepared: Prepared) -> None:
    some = fewer_users(prepared, None, 4)
    assert len(np.unique(some.split.targets("validation")[0])) == len(np.unique(some.split.targets("test")[0])) == 4
    assert np.array_equal(some.split.train_end, prepared.split.train_end)


@pytest.mark.parametrize("count", [None, 10**6])
def test_without_a_number_or_with_a_larger_one_all_users_stay(prepared: Prepared, count: int | None) -> None:
    assert fewer_users(prepared, count, count).fingerprint == prepared.fingerprint


def test_a_run_learns_from_them_and_says_so(prepared: Prepared, job: MakeJob) -> None:
    asked = job(plan={"held_out_users": 6}, train_users=9)
    assert learned_from(asked.data(prepared)) == learned_from(fewer_users(prepared, 9, None))
    result = asked.run(prepared, command="test", cpu=True)
    assert result.train_users == 9
    assert result.targets == len(fewer_users(prepared, 9, 6).split.targets("test")[0])
    assert "train_users" in asked.result_file.read_text(encoding="utf-8")


def test_runs_on_different_users_do_not_meet_and_those_on_all_keep_their_keys(job: MakeJob) -> None:
    keys = {job().key, job(train_users=9).key, job(plan={"held_out_users": 9}).key, job(train_users=10).key}
    assert len(keys) == 4
