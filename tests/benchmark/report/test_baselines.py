"""The rows of baselines and ablations, and the notes on those that are not trained."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from m2rec.benchmark.accuracy import plan as plans
from m2rec.benchmark.accuracy.jobs import benchmark_table, jobs_of, write_table
from m2rec.benchmark.report.baselines import Baselines, Shipped, baselines, without_checkpoint
from m2rec.benchmark.report.readme import results
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from tests.benchmark.accuracy.test_table import USERS, finish, ranked
from tests.benchmark.conftest import WORLD
from tests.evaluation.test_report import measurement
from tests.tiny_world import NAME, save_tiny_world

MODELS = """
[[model]]
name = "m2rec"
kind = "m2rec"

[[model]]
name = "popularity"
kind = "popularity"

[[model]]
name = "sasrec"
kind = "sasrec"

[[model]]
name = "m2rec-no-gate"
kind = "m2rec"
ablates = "the gate"
settings = { gate = "equal" }
"""


@pytest.fixture
def finished(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`finished(sasrec=(10, 30))` writes runs of two seeds with 10 and 30 hits. → the folder with the table."""
    monkeypatch.setattr(plans, "SHIPPED", tmp_path)
    (tmp_path / f"{NAME}.toml").write_text(f'world = "{NAME}"\nseeds = [0, 1]\n{MODELS}')

    def make(*, of: str = NAME, **hits: tuple[int, ...]) -> Path:
        plan = plans.load_plan(of)
        jobs = jobs_of(plan, WORLD, prepared, tmp_path / "runs")
        for job in jobs:
            of_model = hits.get(job.entry.name.replace("-", "_"), ())
            if job.seed < len(of_model):
                finish(job, ranked(of_model[job.seed]))
        write_table(benchmark_table(plan, jobs), tmp_path / "assets")
        return tmp_path / "assets"

    return make


def notes(found: Baselines) -> str:
    return "\n".join(found.notes)


def test_a_run_with_one_seed_is_shown_with_its_interval_device_and_number_of_seeds(finished) -> None:
    found = baselines(NAME, finished(sasrec=(10,)), USERS)
    unmasked, masked = found.rows
    assert (unmasked.model, unmasked.seen, masked.seen, unmasked.seeds) == ("sasrec", "unmasked", "masked", 1)
    assert unmasked.cells[0].startswith("0.2500 (0.1")  # 10 of 40 users
    assert "on cpu, 2026-11-24." in notes(found)
    assert "±" not in notes(found)
    assert "M2Rec alone reads the items' texts." in notes(found)


def test_runs_that_reached_the_limit_of_epochs_are_named(finished) -> None:
    folder = finished(sasrec=(10,), popularity=(5,))
    table = json.loads((folder / f"{NAME}.json").read_text())
    table["rows"][0] |= {"epochs": [0]}  # popularity, which is not trained
    for limit, said in ((2, True), (3, False)):  # the best epoch is the second
        for row in table["rows"]:
            row["training"]["epochs"] = limit
        (folder / f"{NAME}.json").write_text(json.dumps(table))
        found = notes(baselines(NAME, folder, USERS, Shipped(epochs=[3, 2])))
        assert (f"sasrec reached the limit of {limit} epochs while" in found) == said
    assert "M2Rec as shipped was trained for 3 + 2 epochs" in found


@pytest.mark.parametrize(("limit", "trained", "said"), [(9, 4, True), (9, 7, False), (4, 4, False)])
def test_runs_that_were_stopped_by_hand_are_named(finished, limit: int, trained: int, said: bool) -> None:
    folder = finished(sasrec=(10,))
    table = json.loads((folder / f"{NAME}.json").read_text())
    table["rows"][0]["training"] |= {"epochs": limit, "patience": 5}
    table["rows"][0] |= {"trained_epochs": [trained], "epochs": [2]}
    (folder / f"{NAME}.json").write_text(json.dumps(table))
    found = notes(baselines(NAME, folder, USERS))
    assert (f"sasrec was stopped after {trained} epochs (best: 2)." in found) == said


def test_comparisons_with_an_earlier_checkpoint_are_refused(finished) -> None:
    folder = finished(sasrec=(10,))
    table = json.loads((folder / f"{NAME}.json").read_text())
    lead = {"model": "m2rec", "against": "sasrec", "relative": 1.0, "low": 0.1, "high": 0.4, "p": 0.01}
    lead |= {"seen": "unmasked", "metric": "HR@10", "difference": 0.25}
    (folder / f"{NAME}.json").write_text(json.dumps(table | {"compared": "checkpoint", "comparisons": [lead]}))
    same = Shipped({"unmasked": {"HR@10": 0.5}})  # sasrec has 10 of 40
    assert "+0.2500" in notes(baselines(NAME, folder, USERS, same))
    with pytest.raises(DataError, match=r"a checkpoint of HR@10 0\.5000, but the one here has 0\.6000"):
        baselines(NAME, folder, USERS, Shipped({"unmasked": {"HR@10": 0.6}}))


def test_several_seeds_have_a_standard_deviation(finished) -> None:
    found = baselines(NAME, finished(sasrec=(10, 30)), USERS)
    assert found.rows[0].cells[0] == f"0.5000 ± {0.5 / np.sqrt(2):.4f}"
    assert found.rows[0].seeds == 2
    assert "standard deviation over seeds" in notes(found)


def test_untrained_models_are_named_and_have_no_row(finished, tmp_path: Path) -> None:
    part = baselines(NAME, finished(sasrec=(10,)), USERS)
    missing = "Not trained yet: popularity; m2rec-no-gate."
    assert f"{missing} `python -m m2rec benchmark train {NAME}` trains them." in notes(part)
    nothing = baselines(NAME, tmp_path / "empty", USERS)
    assert nothing.rows == []
    assert nothing.notes[0].startswith("Not trained yet: popularity, sasrec; m2rec-no-gate.")


def test_when_all_models_are_trained_none_is_named_as_missing(finished) -> None:
    found = baselines(NAME, finished(m2rec=(30,), sasrec=(10,), popularity=(5,), m2rec_no_gate=(20,)), USERS)
    assert "Not trained yet" not in notes(found)
    assert [row.model for row in found.rows] == ["popularity", "popularity", "sasrec", "sasrec"]
    assert "| nothing | 0.7500 (" in notes(found)
    assert "| the gate | 0.5000 (" in notes(found)
    assert "Lead of M2Rec in HR@10 over each of them, paired over users (1 seed):" in notes(found)
    leads = [line for line in found.notes if line.startswith(("| popularity", "| sasrec"))]
    assert [line.split(" (")[0] for line in leads] == ["| popularity | +0.6250", "| sasrec | +0.5000"]
    assert leads[1].count("+200.0 %, p < 0.001") == 2  # left in and taken out


def test_a_world_without_a_checkpoint_has_m2rec_among_the_models_of_its_plan(finished, tmp_path: Path) -> None:
    folder = finished(m2rec=(30,), sasrec=(10,))
    found = baselines(NAME, folder, USERS, shipped=None)
    assert [row.model for row in found.rows] == ["m2rec", "m2rec", "sasrec", "sasrec"]
    assert notes(found).startswith("The models were trained with the same split")
    assert without_checkpoint(folder, shipped=[]) == {NAME: USERS}
    assert without_checkpoint(folder, shipped=[NAME]) == {}
    (folder / f"{NAME}.json").write_text("{}")
    with pytest.raises(DataError, match="is not a readable benchmark table"):
        without_checkpoint(folder, shipped=[])


def test_ablations_with_few_epochs_have_their_own_table_and_are_not_missing(finished, tmp_path: Path) -> None:
    without_gate = MODELS[MODELS.index('[[model]]\nname = "m2rec-no-gate"') :]
    whole = '[[model]]\nname = "m2rec"\nkind = "m2rec"\n\n'
    text = f'world = "{NAME}"\nseeds = [0]\ntraining = {{ epochs = 12 }}\n{whole}{without_gate}'
    (tmp_path / f"{NAME}-ablations.toml").write_text(text)
    folder = finished(sasrec=(10,), popularity=(5,))
    assert "m2rec-no-gate" in notes(baselines(NAME, folder, USERS))  # not trained yet
    finished(of=f"{NAME}-ablations", m2rec=(30,), m2rec_no_gate=(20,))
    found = baselines(NAME, folder, USERS)
    assert "What each part is worth, all trained for 12 epochs (1 seed):" in notes(found)
    assert "| nothing | 0.7500 (" in notes(found)
    assert re.search(r"\| the gate \| 0\.5000 \(.*?\) \| \+0\.2500 \(p < 0\.001\) \| 0\.5000 ", notes(found))
    assert "Not trained yet" not in notes(found)
    (folder / f"{NAME}-ablations.json").write_text("{}")
    with pytest.raises(DataError, match=r"-ablations\.json is not a readable benchmark table"):
        baselines(NAME, folder, USERS)


def test_m2recs_run_is_shown_beside_the_checkpoint_if_it_has_several_seeds(finished) -> None:
    found = baselines(NAME, finished(m2rec=(30, 20)), USERS)
    assert [row.model for row in found.rows] == ["m2rec, trained again"] * 2


def test_a_world_without_a_plan_has_no_further_rows(finished) -> None:
    assert baselines("my-library", finished(), USERS) == Baselines()


def test_a_table_with_other_targets_and_a_damaged_one_are_refused(finished) -> None:
    folder = finished(sasrec=(10,))
    with pytest.raises(DataError, match="has 40 targets, but the checkpoint of tiny-shop was measured on 41"):
        baselines(NAME, folder, 41)
    (folder / f"{NAME}.json").write_text(json.dumps({"rows": [{"model": "sasrec"}], "targets": USERS}))
    with pytest.raises(DataError, match="is not a readable benchmark table"):
        baselines(NAME, folder, USERS)


def test_the_rows_are_in_the_worlds_table(finished, tmp_path: Path) -> None:
    from m2rec.evaluation.report import MetricsFile, write_metrics

    world = save_tiny_world(tmp_path / "checkpoints" / NAME)
    figures = {name: {"value": 0.3, "low": 0.2, "high": 0.4} for name in ("HR@10", "NDCG@10", "MRR@10")}
    rows = [measurement(0.3, seen, figures=figures, targets=USERS) for seen in ("unmasked", "masked")]
    rows += [measurement(0.9, "unmasked", figures=figures, targets=USERS, split="validation")]  # not shown
    write_metrics(world, MetricsFile(world=NAME).with_measurements(rows))
    lines = results(tmp_path / "checkpoints", finished(sasrec=(10,))).splitlines()
    table = [line for line in lines if line.startswith("| ")]
    assert [line.split(" | ")[:2] for line in table[2:]] == [
        ["| m2rec", "left in"], ["| m2rec", "taken out"], ["| sasrec", "left in"], ["| sasrec", "taken out"],
    ]  # fmt: skip
    assert {line.count("|") for line in table} == {7}
