import json
import sys
import tarfile

import pytest

PLAN = """
world = "{world}"
seeds = [0]

[[model]]
name = "m2rec"
kind = "m2rec"

[[model]]
name = "popularity"
kind = "popularity"

[[model]]
name = "gru4rec"
kind = "gru4rec"
"""


@pytest.fixture
def plan(shop, tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(PLAN.format(world=shop.settings))
    return path


def test_a_plan_is_run_and_its_table_written(run, plan, tmp_path):
    places = ("--runs", tmp_path / "runs", "--out", tmp_path / "assets", "--cpu")
    here = run("benchmark", "train", plan, "--here", "--only", "m2rec", "--only", "gru4rec", *places)
    assert here.code == 0
    assert "epoch 2: loss" in here.err
    states = run("benchmark", "train", plan, "--list", *places, "--json", "-").json["trial"]
    assert states == {"m2rec-0": "done", "popularity-0": "to come", "gru4rec-0": "done"}

    result = run("benchmark", "train", plan, "--at-once", 2, *places)
    assert result.code == 0, result.err
    assert "trial/m2rec-0 has started" not in result.err
    assert (
        f"2 of 3 runs are finished already; to train one again, delete its files in {tmp_path / 'runs'}." in result.err
    )
    assert "trial/popularity-0 is done: HR@10" in result.err
    table = json.loads((tmp_path / "assets" / "trial.json").read_text())
    assert [row["model"] for row in table["rows"]] == ["m2rec", "popularity", "gru4rec"]
    assert all(
        {"HR@10", "NDCG@10", "MRR@10"} <= set(row[seen]) for row in table["rows"] for seen in ("unmasked", "masked")
    )
    assert table["missing"] == []
    assert f"{table['rows'][0]['unmasked']['HR@10']:.4f}" in result.out
    assert "masked" not in result.out
    assert "±" not in result.out  # one seed has no spread
    commands = table["rows"][1]["commands"]
    assert len(commands) == 1
    assert "--only popularity --seed 0" in commands[0]


def test_running_out_of_time_stops_the_plan_and_says_how_to_resume(run, plan, tmp_path, monkeypatch):
    from m2rec.benchmark.accuracy import queue

    monkeypatch.setattr(queue, "_over", lambda *deadline: True)
    result = run(
        "benchmark", "train", plan, "--budget-minutes", 1, "--runs", tmp_path / "runs", "--out", tmp_path, "--cpu"
    )
    assert result.code == queue.STOPPED
    assert (
        "Not finished: trial/m2rec-0, trial/popularity-0, trial/gru4rec-0; the same command resumes them." in result.err
    )


def test_finish_ranks_the_best_epoch_of_stopped_runs_and_trains_nothing(run, plan, shop, tmp_path, monkeypatch):
    def interrupt(report):
        raise KeyboardInterrupt

    plan.write_text(PLAN.format(world=shop.settings).replace("[0]", "[9]"))  # no other test resumes this run
    places = ("--runs", tmp_path / "runs", "--out", tmp_path, "--cpu")
    none = run("benchmark", "train", plan, "--finish", *places)
    assert none.code == 2
    assert "None of these runs was stopped after an epoch; train them without --finish." in none.err
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["m2rec.commands.benchmark.train"], "say_epoch", interrupt)
        assert run("benchmark", "train", plan, "--here", "--only", "gru4rec", *places).code != 0
    result = run("benchmark", "train", plan, "--finish", *places)
    assert result.code == 0, result.err
    (row,) = json.loads((tmp_path / "trial.json").read_text())["rows"]
    assert (row["model"], row["trained_epochs"]) == ("gru4rec", [1])


def test_a_plan_or_all_of_them_must_be_given(run):
    for arguments in ((), ("ml-1m", "--all")):
        result = run("benchmark", "train", *arguments)
        assert result.code == 2
        assert "--all for all published ones" in result.err


def test_an_unknown_model_is_refused_before_anything_runs(run, plan, tmp_path):
    result = run("benchmark", "train", plan, "--only", "sasrec", "--runs", tmp_path / "runs")
    assert result.code == 2
    assert "The plan trial has no model sasrec; it has m2rec, popularity, gru4rec." in result.err


def test_plans_of_one_name_would_share_a_table_and_are_refused(run, plan, tmp_path):
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / plan.name
    twin.write_text(plan.read_text())
    result = run("benchmark", "train", plan, twin, "--list")
    assert result.code == 2
    assert "Two of these plans are called trial" in result.err


def test_all_leaves_out_plans_whose_world_is_not_prepared_and_says_so(run, shop, tmp_path, monkeypatch):
    from m2rec.benchmark.accuracy import plan as module

    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    (tmp_path / "here.toml").write_text(PLAN.format(world=shop.settings))
    (tmp_path / "elsewhere.toml").write_text(PLAN.format(world="amazon-beauty"))
    (tmp_path / "choosing.toml").write_text("test = false\n" + PLAN.format(world=shop.settings))
    result = run("benchmark", "train", "--all", "--list", "--runs", tmp_path / "runs", "--json", "-")
    assert set(result.json) == {"here"}
    assert (
        "Left out: elsewhere, whose world is not prepared here (python -m m2rec prepare amazon-beauty)." in result.err
    )
    (tmp_path / "here.toml").unlink()
    result = run("benchmark", "train", "--all", "--list")
    assert result.code == 2
    assert "None of the published plans' worlds is prepared here" in result.err


def test_the_most_important_runs_of_all_plans_come_first(run, shop, tmp_path):
    from m2rec.benchmark.accuracy.jobs import by_importance, jobs_of
    from m2rec.benchmark.accuracy.plan import load_plan
    from m2rec.data.cache import prepared_folder
    from m2rec.data.prepared import Prepared
    from m2rec.worlds.settings import load_world

    ablation = '[[model]]\nname = "no-gate"\nkind = "m2rec"\nablates = "the gate"\nsettings = { gate = "equal" }\n'
    jobs = []
    for name, seeds in (("one", "[7, 3]"), ("two", "[0, 1]")):
        path = tmp_path / f"{name}.toml"
        models = PLAN.replace("[0]", seeds).format(world=shop.settings)
        path.write_text(models.replace("[[model]]", f"{ablation}[[model]]", 1))
        prepared = Prepared.load(prepared_folder("corner-shop"))
        only = ["m2rec", "gru4rec", "no-gate"]
        jobs += jobs_of(load_plan(path), load_world(shop.settings), prepared, tmp_path, only=only)
    assert [job.label for job in by_importance(jobs)] == [
        "one/m2rec-7", "two/m2rec-0", "one/gru4rec-7", "two/gru4rec-0",
        "one/m2rec-3", "two/m2rec-1", "one/gru4rec-3", "two/gru4rec-1",
        "one/no-gate-7", "two/no-gate-0", "one/no-gate-3", "two/no-gate-1",
    ]  # fmt: skip


def test_a_checkpoint_counts_as_the_run_with_its_settings_and_as_no_other(run, plan, shop, tmp_path):
    runs = tmp_path / "runs"
    taken = run("benchmark", "train", plan, "--checkpoint", shop.checkpoint, "--list", "--runs", runs, "--json", "-")
    assert taken.json["trial"]["m2rec-0"] == "done"
    assert "The checkpoint of corner-shop is the run trial/m2rec-0" in taken.err
    assert run("benchmark", "train", plan, "--here", "--only", "m2rec", "--cpu", "--runs", tmp_path / "anew").code == 0
    adopted, anew = (json.loads((tmp_path / name / "trial" / "m2rec-0.json").read_text()) for name in ("runs", "anew"))
    same = ("test", "validation", "key", "targets", "best_epoch", "epochs", "parameters")
    assert {name: adopted[name] for name in same} == {name: anew[name] for name in same}
    recorded = json.loads((shop.checkpoint / "config.json").read_text())
    assert (adopted["command"], adopted["hardware"]) == (recorded["training"]["command"], recorded["trained_on"])

    again = run("benchmark", "train", plan, "--checkpoint", shop.checkpoint, "--list", "--runs", runs)
    assert "evaluating it" not in again.err  # it is there
    other = tmp_path / "other.toml"
    other.write_text(plan.read_text().replace("[0]", "[1]"))
    refused = run("benchmark", "train", other, "--checkpoint", shop.checkpoint, "--list", "--runs", runs)
    assert refused.code == 2
    assert "No run of this plan has the settings and the seed" in refused.err


TWO_STEPS = """
world = "{world}"
seeds = [0]

[[model]]
name = "m2rec"
kind = "m2rec"
starts_from = "alone"
training = {{ learning_rate = 2e-3 }}

[[model]]
name = "alone"
kind = "mamba2"
settings = {{ heads_per_scale = 1, head_width = 8, state_width = 8, repeat_bias = true }}
"""


@pytest.fixture
def two_steps(shop, tmp_path):
    path = tmp_path / "two-steps.toml"
    path.write_text(TWO_STEPS.format(world=shop.settings))
    return path


def test_a_checkpoint_that_started_from_other_weights_counts_as_the_run_that_did(run, two_steps, plan, shop, tmp_path):
    runs, again, other = tmp_path / "runs", tmp_path / "again", tmp_path / "checkpoint"
    trained = run("benchmark", "train", two_steps, "--here", "--cpu", "--runs", runs, "--out", tmp_path)
    assert trained.code == 0, trained.err
    in_plan = json.loads((runs / "two-steps" / "m2rec-0.json").read_text())

    (weights,) = (shop.folder / "cache" / "runs" / "two-steps").glob("alone-0-*.best.safetensors")
    rate = ("--set", "training.learning_rate=2e-3")
    assert run("train", shop.settings, "--start-from", weights, *rate, "--cpu", "--out", other).code == 0
    taken = run("benchmark", "train", two_steps, "--checkpoint", other, "--list", "--runs", again, "--json", "-")
    assert taken.json["two-steps"]["m2rec-0"] == "done", taken.err
    adopted = json.loads((again / "two-steps" / "m2rec-0.json").read_text())
    assert {name: adopted[name] for name in ("test", "key")} == {name: in_plan[name] for name in ("test", "key")}

    refused = run("benchmark", "train", plan, "--checkpoint", other, "--list", "--runs", again)
    assert refused.code == 2
    assert "and starts from the weights that its training started from" in refused.err


def test_the_archive_of_a_checkpoint_says_what_its_training_started_from(run, two_steps, tmp_path):
    places = ("--runs", tmp_path / "runs", "--pack", tmp_path / "packed", "--cpu")
    packed = run("benchmark", "train", two_steps, *places)
    assert packed.code == 0, packed.err
    with tarfile.open(tmp_path / "packed" / "checkpoint-corner-shop.tar") as archive:
        config = json.load(archive.extractfile("checkpoints/corner-shop/config.json"))
    assert config["training"]["settings"]["learning_rate"] == 2e-3
    assert "--only m2rec" in config["training"]["command"]
    assert "--only alone" in config["training"]["before"]["command"]
