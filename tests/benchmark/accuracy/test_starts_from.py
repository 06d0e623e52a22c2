"""A run that starts from the weights of another run of its plan."""

from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.jobs import by_importance, jobs_of
from m2rec.benchmark.accuracy.plan import Plan
from m2rec.benchmark.accuracy.queue import run_queue
from m2rec.data.prepared import Prepared
from m2rec.errors import CheckpointError, DataError
from m2rec.training.start import FinishedRun
from tests.benchmark.accuracy.test_queue import worker
from tests.benchmark.accuracy.test_table import finish, ranked
from tests.benchmark.conftest import WORLD

SHAPE = {name: getattr(WORLD.model, name) for name in ("heads_per_scale", "head_width", "state_width")}
STILL: dict[str, Any] = {"epochs": 1, "learning_rate": 1e-12}  # training that changes no weight visibly


@pytest.fixture
def two_steps(prepared: Prepared, tmp_path: Path):
    """Makes the jobs of a plan whose M2Rec starts from "alone", another entry. `entry` changes M2Rec's."""

    def make(alone: dict[str, Any] | None = None, **entry: Any) -> dict[str, Job]:
        first = {"name": "m2rec", "kind": "m2rec", "starts_from": "alone", "training": STILL} | entry
        second = {"name": "alone", "kind": "mamba2", "settings": SHAPE | {"repeat_bias": True}} | (alone or {})
        models = [first, {"name": "gru4rec", "kind": "gru4rec"}, second]
        plan = Plan.model_validate({"name": "trial", "world": "small", "seeds": [0, 1], "model": models})
        return {job.name: job for job in jobs_of(plan, WORLD, prepared, tmp_path / "runs")}

    return make


def test_it_has_the_weights_and_the_record_of_the_run_before(two_steps, prepared: Prepared) -> None:
    jobs = two_steps()
    alone, m2rec = jobs["alone-1"], jobs["m2rec-1"]
    alone.run(prepared, command="the first command", cpu=True)
    m2rec.run(prepared, command="the second command", cpu=True)
    given, taken = load_file(alone.weights_file), load_file(m2rec.weights_file)
    assert taken["ids"].allclose(given["items.ids"], atol=1e-6)
    assert not taken["ids"].allclose(m2rec.make_model(prepared).state_dict()["ids"], atol=1e-3)
    with safe_open(m2rec.weights_file, framework="pt") as file:
        record = FinishedRun.model_validate_json(file.metadata()["m2rec"]).record
    assert record.command == "the second command"
    assert record.before is not None
    assert record.before.command == "the first command"


def test_without_those_weights_it_says_how_to_get_them(two_steps, prepared: Prepared) -> None:
    with pytest.raises(CheckpointError, match="Train it here with `benchmark train PLAN --only MODEL"):
        two_steps()["m2rec-0"].run(prepared, command="…", cpu=True)


def test_its_result_counts_only_with_the_same_run_before(two_steps) -> None:
    key = two_steps()["m2rec-0"].key
    assert key == two_steps()["m2rec-0"].key
    assert key != two_steps(starts_from="")["m2rec-0"].key
    assert key != two_steps(alone={"training": {"epochs": 9}})["m2rec-0"].key


@pytest.mark.parametrize(
    "entry", [{"starts_from": "nobody"}, {"starts_from": "gru4rec"}, {"kind": "sasrec"}], ids=lambda entry: str(entry)
)
def test_only_m2rec_can_start_and_only_from_its_temporal_branch(entry: dict[str, Any], two_steps) -> None:
    with pytest.raises(DataError, match=f"cannot start from {entry.get('starts_from', 'alone')}"):
        two_steps(**entry)


def test_the_run_before_comes_first(two_steps) -> None:
    ordered = [job.name for job in by_importance(list(two_steps().values()))]
    assert ordered == ["alone-0", "m2rec-0", "gru4rec-0", "alone-1", "m2rec-1", "gru4rec-1"]


def test_it_waits_for_the_run_before_and_others_do_not(two_steps, tmp_path: Path) -> None:
    jobs = [two_steps()[name] for name in ("m2rec-0", "alone-0", "gru4rec-0")]
    for job in jobs:
        finish(job, ranked(10))
    seen = tmp_path / "seen"
    write = f"open({str(seen)!r}, 'a').write(f'{{label}} {{word}}\\n')"
    does = f"for word in ('begins', 'ends'):\n    {write}\n    time.sleep(0.5 * ('alone' in label))\nanswer(0)"
    outcome = run_queue(jobs, worker(does), at_once=3)
    lines = seen.read_text().splitlines()
    assert len(outcome.finished) == 3
    assert lines.index("trial/alone-0 ends") < lines.index("trial/m2rec-0 begins")
    assert lines.index("trial/gru4rec-0 begins") < lines.index("trial/alone-0 ends")


def test_if_the_run_before_fails_it_is_still_tried(two_steps) -> None:
    jobs = [two_steps()[name] for name in ("alone-0", "m2rec-0")]
    outcome = run_queue(jobs, worker("answer(1)"), at_once=2)
    assert [job.name for job in outcome.failed] == ["alone-0", "m2rec-0"]


def test_the_reference_with_the_worlds_seed_trains_the_checkpoint(two_steps) -> None:
    jobs = two_steps()
    assert [name for name, job in jobs.items() if job.trains_checkpoint] == ["m2rec-0"]
    assert not two_steps(settings={"gate": "equal"})["m2rec-0"].trains_checkpoint
