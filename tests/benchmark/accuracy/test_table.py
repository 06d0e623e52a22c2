"""From runs to a table: means, standard deviations and comparisons, against values computed by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.jobs import benchmark_table, jobs_of, write_table
from m2rec.benchmark.accuracy.plan import Plan
from m2rec.benchmark.accuracy.result import Result
from m2rec.benchmark.accuracy.table import table_of
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.evaluation.metrics import summary
from m2rec.evaluation.protocol import Evaluation
from m2rec.evaluation.ranks import Ranks, save_ranks
from tests.benchmark.conftest import WORLD

USERS = 40


def plan(**changes: object) -> Plan:
    content = {
        "name": "trial",
        "world": "small",
        "seeds": [0, 1],
        "model": [{"name": "m2rec", "kind": "m2rec"}, {"name": "sasrec", "kind": "sasrec", "ablates": "us"}],
    }
    return Plan.model_validate(content | changes)


def finish(job: Job, ranks: np.ndarray) -> None:
    """Save the files of the job as if it had run and given these ranks."""
    job.result_file.parent.mkdir(parents=True, exist_ok=True)
    users = np.arange(USERS)
    save_ranks(job.ranks_file, Evaluation(users, users, {"unmasked": ranks, "masked": ranks}), job.key)
    figures = {seen: summary(ranks) for seen in ("unmasked", "masked")}
    result = Result(
        model=job.entry.name,
        world="small",
        seed=job.seed,
        key=job.key,
        kind=job.entry.kind,
        settings=job.settings,
        training=job.training.model_dump(),
        treatment="none",
        parameters=5,
        validation=figures,
        test=figures if job.plan.test else None,
        targets=USERS,
        epochs=3,
        best_epoch=2,
        seconds=1.5,
        peak_memory_mib=10,
        hardware="cpu",
        date="2026-11-24",
        command="python -m m2rec …",
        revision="abc",
    )
    job.result_file.write_text(result.model_dump_json())


@pytest.fixture
def jobs(prepared: Prepared, tmp_path: Path) -> list[Job]:
    return jobs_of(plan(), WORLD, prepared, tmp_path)


def ranked(hits: int) -> np.ndarray:
    """`hits` targets at rank 1 and the others at 11.5, a tie just outside the first ten."""
    return np.where(np.arange(USERS) < hits, 1.0, 11.5)


def test_runs_come_seed_by_seed_over_all_models(jobs: list[Job]) -> None:
    assert [job.name for job in jobs] == ["m2rec-0", "sasrec-0", "m2rec-1", "sasrec-1"]


def test_only_the_selected_runs_are_made_and_unknown_names_are_refused(prepared: Prepared, tmp_path: Path) -> None:
    chosen = jobs_of(plan(), WORLD, prepared, tmp_path, only=["sasrec"], seeds=[1])
    assert [job.name for job in chosen] == ["sasrec-1"]
    with pytest.raises(DataError, match="has no model gru4rec; it has m2rec, sasrec"):
        jobs_of(plan(), WORLD, prepared, tmp_path, only=["gru4rec"])
    with pytest.raises(DataError, match="has no seed 7; it has 0, 1"):
        jobs_of(plan(), WORLD, prepared, tmp_path, seeds=[7])


def test_a_row_holds_mean_and_standard_deviation_over_seeds(jobs: list[Job]) -> None:
    for job, hits in zip(jobs, (20, 10, 30, 10), strict=True):
        finish(job, ranked(hits))
    rows = {row["model"]: row for row in benchmark_table(plan(), jobs)["rows"]}
    assert rows["m2rec"]["unmasked"]["HR@10"] == pytest.approx((0.5 + 0.75) / 2)
    assert rows["m2rec"]["unmasked_sd"]["HR@10"] == pytest.approx(0.25 / np.sqrt(2))
    assert rows["m2rec"]["seeds"] == [0, 1]
    assert rows["sasrec"]["masked"]["HR@10"] == pytest.approx(0.25)
    assert rows["sasrec"]["masked_sd"]["HR@10"] == 0
    assert rows["sasrec"]["ablates"] == "us"


def test_figures_have_an_interval_over_users_also_the_mean_over_seeds(jobs: list[Job]) -> None:
    finish(jobs[0], ranked(20))
    for job, hits in zip(jobs[1::2], (10, 10), strict=True):
        finish(job, ranked(hits))
    rows = {row["model"]: row for row in benchmark_table(plan(), jobs)["rows"]}
    low, high = rows["m2rec"]["unmasked_interval"]["HR@10"]
    assert 0.3 < low < 0.5 < high < 0.7  # 20 of 40 users: about half, and 1.96 · .08 to either side
    assert rows["m2rec"]["seconds_per_epoch"] == [0.5]
    mean_low, mean_high = rows["sasrec"]["unmasked_interval"]["HR@10"]  # the users who are hit are the same ones twice
    assert rows["sasrec"]["seeds"] == [0, 1]
    assert mean_low < 0.25 < mean_high


def test_a_clear_lead_is_significant_and_no_lead_is_not(jobs: list[Job]) -> None:
    for job, hits in zip(jobs, (30, 10, 30, 10), strict=True):
        finish(job, ranked(hits))
    first = benchmark_table(plan(), jobs)["comparisons"][0]
    assert (first["model"], first["against"], first["seen"], first["metric"]) == (
        "m2rec",
        "sasrec",
        "unmasked",
        "HR@10",
    )
    assert first["difference"] == pytest.approx(0.5)
    assert first["relative"] == pytest.approx(2.0)
    assert first["p"] < 0.01
    assert first["low"] < 0.5 < first["high"]
    for job in jobs:
        finish(job, ranked(20))
    assert benchmark_table(plan(), jobs)["comparisons"][0]["p"] == 1


def test_a_difference_is_between_means_over_seeds(jobs: list[Job]) -> None:
    for job, hits in zip(jobs, (30, 10, 20, 16), strict=True):
        finish(job, ranked(hits))
    first = benchmark_table(plan(), jobs)["comparisons"][0]
    assert first["difference"] == pytest.approx((30 + 20 - 10 - 16) / 2 / USERS)
    assert first["low"] < first["difference"] < first["high"]


def test_the_worlds_checkpoint_replaces_a_reference_without_a_run(prepared: Prepared, tmp_path: Path) -> None:
    whole = plan(name="small", seeds=[0])
    ours, other = jobs_of(whole, WORLD, prepared, tmp_path)
    finish(other, ranked(10))
    done = [(other, other.result())]
    shipped = Ranks(np.arange(USERS), {"unmasked": ranked(30), "masked": ranked(25)})
    table = table_of(whole, done, shipped)
    assert table["compared"] == "checkpoint"
    found = {one["seen"]: one for one in table["comparisons"] if one["metric"] == "HR@10"}
    assert {seen: one["difference"] for seen, one in found.items()} == pytest.approx({"unmasked": 0.5, "masked": 0.375})
    assert [row["model"] for row in table["rows"]] == ["sasrec"]
    assert table_of(plan(name="small-ablations"), done, shipped)["comparisons"] == []  # another budget: not comparable
    with pytest.raises(DataError, match="m2rec and sasrec were ranked on different targets"):
        table_of(whole, done, replace(shipped, users=np.arange(USERS) + 1))
    finish(ours, ranked(20))
    table = table_of(whole, [(ours, ours.result()), *done], shipped)
    assert (table["compared"], table["comparisons"][0]["difference"]) == ("run", pytest.approx(0.25))


def test_a_table_of_some_runs_names_the_missing_ones(jobs: list[Job]) -> None:
    finish(jobs[1], ranked(10))
    table = benchmark_table(plan(), jobs)
    assert [row["model"] for row in table["rows"]] == ["sasrec"]
    assert table["rows"][0]["unmasked_sd"]["HR@10"] == 0
    assert table["comparisons"] == []
    assert table["missing"] == ["m2rec-0", "m2rec-1", "sasrec-1"]
    assert benchmark_table(plan(), [])["rows"] == []


def test_a_plan_without_the_test_set_has_rows_of_validation_only(prepared: Prepared, tmp_path: Path) -> None:
    shut = plan(test=False)
    jobs = jobs_of(shut, WORLD, prepared, tmp_path)
    for job in jobs:
        finish(job, ranked(10))
    table = benchmark_table(shut, jobs)
    assert table["comparisons"] == []
    assert all("unmasked" not in row and "masked" not in row for row in table["rows"])
    assert table["rows"][0]["validation"]["HR@10"] == pytest.approx(0.25)


def test_the_file_is_json_and_replaces_the_old_one(jobs: list[Job], tmp_path: Path) -> None:
    finish(jobs[0], ranked(10))
    path = write_table(benchmark_table(plan(), jobs), tmp_path / "assets")
    assert path.name == "trial.json"
    finish(jobs[1], ranked(10))
    write_table(benchmark_table(plan(), jobs), tmp_path / "assets")
    assert [row["model"] for row in json.loads(path.read_text())["rows"]] == ["m2rec", "sasrec"]
