"""A smaller set of training users is part of every larger one, and nothing else in the data changes."""

import numpy as np
import pytest

from m2rec.benchmark.accuracy.fewer_users import fewer_users
from m2rec.data.prepared import Prepared
from tests.benchmark.conftest import MakeJob


def training_users(data: Prepared) -> set[int]:
    return set(np.flatnonzero(data.split.train_end > 0).tolist())


def test_the_number_of_training_users_is_right_and_smaller_sets_are_subsets_of_larger_ones(prepared: Prepared) -> None:
    sets = [training_users(fewer_users(prepared, count, None)) for count in (3, 7, 20)]
    assert [len(users) for users in sets] == [3, 7, 20]
    assert sets[0] < sets[1] < sets[2] < training_users(prepared)


def test_their_histories_and_all_targets_are_unchanged(prepared: Prepared) -> None:
    some = fewer_users(prepared, 5, None)
    kept = list(training_users(some))
    assert np.array_equal(some.split.train_end[kept], prepared.split.train_end[kept])
    for part in ("validation", "test"):
        for found, expected in zip(some.split.targets(part), prepared.split.targets(part), strict=True):
            assert np.array_equal(found, expected)


def test_the_number_of_held_out_users_is_right_and_training_histories_are_unchanged(prepared: Prepared) -> None:
    some = fewer_users(prepared, None, 4)
    assert len(np.unique(some.split.targets("validation")[0])) == len(np.unique(some.split.targets("test")[0])) == 4
    assert np.array_equal(some.split.train_end, prepared.split.train_end)


@pytest.mark.parametrize("count", [None, 10**6])
def test_without_a_number_or_with_a_larger_one_all_users_stay(prepared: Prepared, count: int | None) -> None:
    assert fewer_users(prepared, count, count).fingerprint == prepared.fingerprint


def test_a_run_trains_on_these_users_and_records_their_number(prepared: Prepared, job: MakeJob) -> None:
    asked = job(plan={"held_out_users": 6}, train_users=9)
    assert training_users(asked.data(prepared)) == training_users(fewer_users(prepared, 9, None))
    result = asked.run(prepared, command="test", cpu=True)
    assert result.train_users == 9
    assert result.targets == len(fewer_users(prepared, 9, 6).split.targets("test")[0])
    assert "train_users" in asked.result_file.read_text(encoding="utf-8")


def test_runs_on_different_users_have_different_keys_and_those_on_all_keep_theirs(job: MakeJob) -> None:
    keys = {job().key, job(train_users=9).key, job(plan={"held_out_users": 9}).key, job(train_users=10).key}
    assert len(keys) == 4
