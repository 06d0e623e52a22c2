"""`benchmark take`: installing runs from another machine."""

from m2rec.benchmark.accuracy import jobs
from m2rec.benchmark.accuracy.pack import RunArchives
from m2rec.commands.benchmark.plans import plan_inputs

PLAN = """
world = "{world}"
seeds = [0]

[[model]]
name = "m2rec"
kind = "m2rec"

[[model]]
name = "popularity"
kind = "popularity"
"""


def test_its_table_compares_with_the_checkpoint_as_that_of_train_does(run, shop, tmp_path, monkeypatch):
    plan = tmp_path / "trial.toml"
    plan.write_text(PLAN.format(world=shop.settings))
    there, here = tmp_path / "there", tmp_path / "here"
    done = run("benchmark", "train", plan, "--here", "--only", "popularity", "--runs", there, "--out", there, "--cpu")
    assert done.code == 0, done.err
    RunArchives(tmp_path / "packed", plan_inputs([str(plan)], all_plans=False)[0].jobs(there)).write()
    asked = []
    table = jobs.benchmark_table
    monkeypatch.setattr(jobs, "benchmark_table", lambda *given: asked.append(given[2:]) or table(*given))
    places = ("--runs", here, "--out", here, "--checkpoints", tmp_path / "checkpoints")
    taken = run("benchmark", "take", tmp_path / "packed", "--plan", plan, *places, "--json", "-")
    assert taken.code == 0, taken.err
    assert taken.json["runs"] == ["trial/popularity-0"]
    assert asked == [(tmp_path / "checkpoints" / shop.settings,)]
    assert (here / "trial.json").is_file()
