"""Plans: what they contain, and the errors for invalid ones."""

from collections import Counter
from pathlib import Path

import pytest

from m2rec.baselines.registry import BASELINES
from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.jobs import published_plans
from m2rec.benchmark.accuracy.plan import Entry, known_plans, load_plan
from m2rec.errors import DataError
from m2rec.worlds.settings import load_world

REPEATS = {"repeat-most-frequent", "repeat-most-recent"}  # where people buy the same things again, as in the gift shop
ONE = 'world = "ml-1m"\nseeds = [0]\n[[model]]\nname = "sasrec"\nkind = "sasrec"\n'


@pytest.mark.parametrize("name", known_plans())
def test_every_shipped_plan_fits_the_models_it_asks_for(name: str, tmp_path: Path) -> None:
    plan = load_plan(name)
    world = load_world(plan.world)
    jobs = [Job(plan, entry, plan.seeds[0], world, "fingerprint", tmp_path) for entry in plan.entries]
    assert len({job.key for job in jobs}) == len(jobs)  # and none of them was refused


WITH_BASELINES = [plan for plan in published_plans() if not plan.name.endswith(("-ablations", "-curve"))]
ABLATIONS_ALONE = [plan for plan in published_plans() if plan.name.endswith("-ablations")]


@pytest.mark.parametrize("plan", WITH_BASELINES, ids=lambda plan: plan.name)
def test_a_published_plan_has_every_model_three_seeds_and_is_named_for_its_world(plan) -> None:
    asked_for = {entry.kind for entry in plan.entries}
    assert asked_for | REPEATS == {"m2rec", *BASELINES}
    assert asked_for & REPEATS in (set(), REPEATS)
    assert len(plan.seeds) >= 3
    assert plan.name == plan.world
    assert plan.reference in [entry.name for entry in plan.entries]
    ablations = [entry for entry in plan.entries if entry.kind == "m2rec" and entry.name != plan.reference]
    assert all(entry.ablates for entry in ablations)


@pytest.mark.parametrize("plan", ABLATIONS_ALONE, ids=lambda plan: plan.name)
def test_a_plan_of_ablations_differs_from_its_worlds_plan_only_in_the_budget(plan, tmp_path: Path) -> None:
    assert plan.name == f"{plan.world}-ablations"
    full = {entry.name: entry for entry in load_plan(plan.world).entries}
    whole = full[plan.reference]
    if whole.starts_from:  # a part that is missing cannot be given, so the ablations start from random weights
        whole = whole.model_copy(update={"starts_from": "", "training": {}, "remark": ""})
    assert plan.entries[0] == whole
    assert all(entry.ablates and entry == full.get(entry.name, entry) for entry in plan.entries[1:])
    made = [Job(plan, entry, 0, load_world(plan.world), "fingerprint", tmp_path) for entry in plan.entries]
    assert all(job.training == made[0].training for job in made)
    assert not plan.settings


def test_the_learning_curve_gives_both_models_the_same_customers_and_as_many_histories(tmp_path: Path) -> None:
    plan = load_plan("rhythm-market-curve")
    made = [Job(plan, entry, 0, load_world(plan.world), "fingerprint", tmp_path) for entry in plan.entries]
    by_kind = {
        kind: [(job.entry.train_users, job.training) for job in made if job.entry.kind == kind]
        for kind in ("m2rec", "sasrec")
    }
    assert by_kind["m2rec"] == by_kind["sasrec"]
    assert len(made) == 2 * len(by_kind["m2rec"])
    read = {users: users * training.epochs for users, training in by_kind["m2rec"] if users}
    assert {count for users, count in read.items() if users <= 8000} == {8000}
    assert not any(job.trains_checkpoint for job in made)


@pytest.mark.parametrize(
    ("world", "models"),
    [("ml-1m", {"sasrec", "mamba2", "mamba2-2-layers", "bsarec", "wearec"}), ("rhythm-market", {"sasrec"})],
)
def test_an_entry_with_a_repeat_bias_differs_in_nothing_else(world: str, models: set[str], tmp_path: Path) -> None:
    plan = load_plan(world)
    made = {entry.name: Job(plan, entry, 0, load_world(world), "f", tmp_path) for entry in plan.entries}
    biased = {name.removesuffix("-repeat-bias"): job for name, job in made.items() if name.endswith("-repeat-bias")}
    biased.pop("m2rec-no", None)  # an ablation, the other way round
    assert set(biased) == models
    for name, job in biased.items():
        assert job.settings == made[name].settings | {"repeat_bias": True}
        assert job.training == made[name].training


TAKEN_AWAY = {
    "no frequency": lambda job: job.settings["branches"] == ["temporal", "semantic"],
    "no text": lambda job: job.settings["branches"] == ["temporal", "frequency"] and treatment(job) == "text-removed",
    "no gate": lambda job: job.settings["gate"] == "equal",
    "one time scale": lambda job: len(job.settings["time_scales"]) == 1,
    "plain FFT low-pass": lambda job: job.settings["filter"] == "low-pass",
    "order shuffled": lambda job: treatment(job) == "order-shuffled",
    "texts permuted": lambda job: treatment(job) == "text-permuted",
}


def treatment(job: Job) -> str:
    return job.entry.treatment


def test_worlds_with_repeat_purchases_have_the_baseline_of_earlier_purchases() -> None:
    assert {entry.kind for entry in load_plan("gift-shop").entries} >= REPEATS


@pytest.mark.parametrize("name", ["gift-shop", "ml-1m-ablations", "rhythm-market"])
def test_every_ablation_removes_one_idea_and_nothing_else(name: str, tmp_path: Path) -> None:
    plan = load_plan(name)
    made = [Job(plan, entry, 0, load_world(plan.world), "fingerprint", tmp_path) for entry in plan.entries]
    whole = next(job for job in made if job.entry.name == plan.reference)
    ablations = [job for job in made if job.entry.ablates]
    assert [name for name, is_it in TAKEN_AWAY.items() if sum(map(is_it, ablations)) != 1] == []
    assert not any(is_it(whole) for is_it in TAKEN_AWAY.values())
    for job in ablations:  # without the repeat bias, its learning rate is no setting
        rate = whole.training.repeat_bias_rate if job.settings["repeat_bias"] else 1.0
        assert job.training == whole.training.model_copy(update={"repeat_bias_rate": rate})
    heads = {job.settings["heads_per_scale"] * len(job.settings["time_scales"]) for job in [whole, *ablations]}
    assert len(heads) == 1  # one time scale has as many heads as several


@pytest.mark.parametrize("world", ["ml-1m", "rhythm-market"])
def test_tuning_does_not_use_the_test_set_and_gives_every_model_as_many_tries(world: str) -> None:
    plan = load_plan(f"{world}-tuning")
    assert (plan.world, plan.test) == (world, False)
    compared = {entry.kind for entry in load_plan(world).entries if not entry.ablates and entry.kind != "popularity"}
    tries = Counter(entry.kind for entry in plan.entries)
    assert set(tries) <= compared  # what is chosen goes into a plan that has the model
    assert len(set(tries.values())) == 1


def test_a_grid_gives_every_combination_its_own_name() -> None:
    grid = {"settings.dropout": [0.1, 0.2], "training.weight_decay": [0.0]}
    entry = Entry(name="sasrec", kind="sasrec", settings={"heads": 4}, grid=grid)
    points = entry.points()
    assert [point.name for point in points] == [
        "sasrec--dropout-0.1--weight-decay-0.0",
        "sasrec--dropout-0.2--weight-decay-0.0",
    ]
    assert [point.settings for point in points] == [{"heads": 4, "dropout": 0.1}, {"heads": 4, "dropout": 0.2}]
    assert [point.training for point in points] == [{"weight_decay": 0.0}] * 2
    assert Entry(name="sasrec", kind="sasrec").points() == [Entry(name="sasrec", kind="sasrec")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ONE + ONE[ONE.index("[[") :], "two models are called 'sasrec'"),
        (ONE.replace("[0]", "[]"), "at seeds: Tuple should have at least 1 item"),
        (ONE + "grid = { dropout = [0.1] }\n", "a grid may vary settings.… or training.…, not 'dropout'"),
        (ONE + 'treatment = "reversed"\n', "at model.0.treatment: Input should be 'none'"),
        (ONE.replace('"sasrec"', '"SAS Rec"', 1), "at model.0.name: String should match pattern"),
        (ONE + "[[model", "is not a valid TOML file"),
    ],
)
def test_a_plan_with_a_mistake_is_refused_with_the_reason(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load_plan(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistyped_name_suggests_the_nearest_plan(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean ml-1m"):
        load_plan("ml1m")
    with pytest.raises(DataError, match="cannot be read"):
        load_plan(tmp_path / "absent.toml")
