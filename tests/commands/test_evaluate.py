import shutil
from dataclasses import replace

import numpy as np
import pytest

from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint
from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared
from m2rec.evaluation.metrics import METRICS, outcomes
from m2rec.evaluation.protocol import evaluate
from m2rec.evaluation.ranks import OF_CHECKPOINT, checkpoint_key, load_ranks
from m2rec.evaluation.report import Agreement, GateReport, Grades, Hits, read_metrics


@pytest.fixture
def checkpoint(shop, tmp_path):
    return shutil.copytree(shop.checkpoint, tmp_path / "checkpoint")


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_json_holds_the_protocols_figures(run, checkpoint, part):
    result = run("evaluate", checkpoint, "--split", part, "--cpu", "--json", "-")
    model = Checkpoint.load(checkpoint).model()
    expected = evaluate(model, Prepared.load(prepared_folder("corner-shop")), part, model.config.max_length).figures
    assert result.code == 0
    assert result.json == {seen: pytest.approx(figures) for seen, figures in expected.items()}


def test_the_table_shows_every_metric_both_ways(run, checkpoint):
    out = run("evaluate", checkpoint, "--cpu").out
    assert all(word in out for word in (*METRICS, "left in", "taken out", "24 targets", "12 items"))
    assert "taken out: " in out
    assert "masked" not in out


def test_recorded_figures_have_what_is_needed_to_repeat_them(run, checkpoint):
    assert run("evaluate", checkpoint, "--cpu").code == 0
    assert not (checkpoint / "metrics.json").exists(), "without --record the checkpoint stays as it was"
    figures = run("evaluate", checkpoint, "--cpu", "--record", "--json", "-").json
    rows = {row.seen: row for row in read_metrics(checkpoint, "corner-shop").measurements}
    assert set(rows) == {"unmasked", "masked"}
    events = Prepared.load(prepared_folder("corner-shop")).sequences
    new = sum(events[user][-1] not in events[user][:-1] for user in range(len(events)))
    assert 0 < new < len(events) == 24, "some of the shop's customers end with a repeat, some do not"
    assert (rows["unmasked"].targets, rows["masked"].targets) == (24, new)
    config = Checkpoint.load(checkpoint).config
    ranked = load_ranks(checkpoint / OF_CHECKPOINT, checkpoint_key(config))
    for seen, row in rows.items():
        assert np.nanmean(outcomes(ranked.by_seen[seen], "NDCG@10")) == pytest.approx(figures[seen]["NDCG@10"])
        assert {name: figure.value for name, figure in row.figures.items()} == pytest.approx(figures[seen])
        assert all(figure.low <= figure.value <= figure.high for figure in row.figures.values())
        assert (row.split, row.seeds) == ("test", [0])
        assert "leave-one-out" in row.protocol
        assert "12 items" in row.protocol
        assert row.hardware.startswith("cpu (")


def test_saved_ranks_are_those_of_the_test_part(run, checkpoint):
    run("evaluate", checkpoint, "--cpu", "--split", "validation", "--record")
    assert not (checkpoint / OF_CHECKPOINT).exists()
    assert {row.split for row in read_metrics(checkpoint, "corner-shop").measurements} == {"validation"}


def test_recording_again_replaces(run, checkpoint):
    for _ in range(2):
        run("evaluate", checkpoint, "--cpu", "--record")
    assert len(read_metrics(checkpoint, "corner-shop").measurements) == 2


@pytest.fixture
def one_user(run, shop, tmp_path, monkeypatch):
    """The shop's checkpoint, in a world of one customer."""
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    rows = ["user,item,position", *(f"u0,g{number % 12},{number}" for number in range(20))]
    (tmp_path / "log.csv").write_text("\n".join(rows))
    settings = (shop.folder / "corner-shop.toml").read_text().replace("items.csv", str(shop.folder / "items.csv"))
    (tmp_path / "one.toml").write_text(settings)
    assert run("prepare", tmp_path / "one.toml").code == 0
    trained = run("train", tmp_path / "one.toml", "--out", tmp_path / "one", "--epochs", 1, "--cpu")
    assert trained.code == 0
    return tmp_path / "one"


def test_a_single_users_figures_have_no_interval(run, one_user):
    result = run("evaluate", one_user, "--cpu", "--record")
    assert result.code == 0
    assert "–" not in result.out
    assert all(figure.low is None for figure in read_metrics(one_user, "one").measurements[0].figures.values())
    refused = run("evaluate", one_user, "--cpu", "--without", "semantic")
    assert (refused.code, refused.err) == (
        2,
        "What a branch adds is compared over users, and only one has test targets.\n",
    )


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_is_left_out_by_giving_its_weight_to_the_others(run, checkpoint, branch):
    found = run("evaluate", checkpoint, "--without", branch, "--cpu", "--json", "-").json
    assert found["with"] == run("evaluate", checkpoint, "--cpu", "--json", "-").json
    loaded = Checkpoint.load(checkpoint)
    others = tuple(name for name in BRANCHES if name != branch)
    model = replace(loaded, config=loaded.config.model_copy(update={"model": _with(loaded, others)})).model()
    expected = evaluate(model, Prepared.load(prepared_folder("corner-shop")), "test", model.config.max_length).figures
    assert found["without"] == {seen: pytest.approx(figures) for seen, figures in expected.items()}
    out = run("evaluate", checkpoint, "--without", branch, "--cpu").out
    assert all(words in out for words in (f"The {branch} branch, left in", "without it", "it adds", "HR@10"))


def _with(loaded, branches):
    return loaded.config.model.model_copy(update={"branches": branches})


def test_what_a_branch_adds_is_recorded_beside_the_figures_of_the_whole_model(run, checkpoint):
    run("evaluate", checkpoint, "--record", "--cpu")
    whole = read_metrics(checkpoint, "corner-shop").measurements
    for branch in ("frequency", "semantic"):
        found = run("evaluate", checkpoint, "--without", branch, "--record", "--cpu", "--json", "-").json
    metrics = read_metrics(checkpoint, "corner-shop")
    assert metrics.measurements == whole
    assert [one.branch for one in metrics.removals] == ["frequency", "frequency", "semantic", "semantic"]
    for one in metrics.removals[2:]:
        assert any(map(one.belongs_to, whole))
        for metric, figure in one.figures.items():
            assert figure.value == pytest.approx(found["without"][one.seen][metric])
            difference = found["with"][one.seen][metric] - found["without"][one.seen][metric]
            assert one.adds[metric].value == pytest.approx(difference)


def test_a_gate_is_not_graded_without_a_branch(run, checkpoint):
    result = run("evaluate", checkpoint, "--without", "semantic", "--gates", "--cpu")
    assert result.code == 2
    assert "leave out either --without or --gates" in " ".join(result.err.split())


def test_a_branch_that_is_not_there_cannot_be_left_out(run, checkpoint):
    loaded = Checkpoint.load(checkpoint)
    replace(loaded, config=loaded.config.model_copy(update={"model": _with(loaded, ("temporal",)), "sha256": {}})).save(
        checkpoint
    )
    for branch in ("temporal", "frequency"):
        result = run("evaluate", checkpoint, "--without", branch, "--cpu")
        assert result.code == 2
        assert f"This model cannot do without a {branch} branch: it has temporal only." in " ".join(result.err.split())


def test_data_that_the_checkpoint_was_not_trained_on_is_refused(run, checkpoint):
    whole = Checkpoint.load(checkpoint)
    other = whole.config.model_copy(update={"data": whole.config.data.model_copy(update={"fingerprint": "0" * 64})})
    replace(whole, config=other).save(checkpoint)
    result = run("evaluate", checkpoint, "--cpu")
    assert result.code == 2
    assert "was trained on other data than those on this machine" in result.err
    assert result.err.count("\n") == 1


def test_without_prepared_data_the_tables_are_read_again(run, shop, tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    tables = ["--interactions", shop.folder / "log.csv", "--items", shop.folder / "items.csv", "--min-count", 0]
    assert run("prepare", "corner-shop", *tables).code == 0
    shutil.rmtree(prepared_folder("corner-shop"))

    def absent():
        raise AssertionError("the texts are in the checkpoint and need not be read")

    monkeypatch.setattr("m2rec.data.text.load_minilm", absent)
    assert run("evaluate", shop.checkpoint, "--cpu", "--json", "-").code == 0


def test_a_damaged_checkpoint_is_one_line(run, checkpoint):
    (checkpoint / "model.safetensors").write_bytes(b"short")
    result = run("evaluate", checkpoint)
    assert result.code == 2
    assert "model.safetensors" in result.err
    assert result.err.count("\n") == 1


def test_a_gate_can_be_graded_only_if_the_causes_are_known(run, checkpoint):
    result = run("evaluate", checkpoint, "--gates")
    assert result.code == 2
    assert "The causes in corner-shop are unknown" in result.err


def test_grades_are_shown_returned_and_recorded(run, checkpoint, monkeypatch):
    row = Agreement(auc=0.875, oracle=0.95, weight_with=0.8, weight_without=0.1, targets=1234)
    grades = Grades(
        gates=GateReport(gates={"frequency": row}, by_period={"7": row}, by_cycles={}),
        oracle={"HR@10": 0.5},
        hits={"arrivals": Hits(targets=77, model=0.125, oracle=0.25, random=0.0131)},
    )
    monkeypatch.setattr("m2rec.commands.evaluate.command.MARKET", "tables")
    monkeypatch.setattr("m2rec.commands.evaluate.command._grades", lambda *_: grades)
    out = run("evaluate", checkpoint, "--cpu", "--gates", "--record").out
    assert "period 7" in out
    assert "0.875" in out
    assert "1,234" in out
    assert "0.1250" in out
    assert read_metrics(checkpoint, "corner-shop").gates.grades == grades
    found = run("evaluate", checkpoint, "--cpu", "--gates", "--json", "-").json
    assert Grades(gates=found["gates"], oracle=found["oracle"], hits=found["hits"]) == grades
    assert set(found) == {"unmasked", "masked", "gates", "oracle", "hits"}
