import json
import os
from datetime import date

import pytest
from pydantic import ValidationError

from m2rec.errors import CheckpointError
from m2rec.evaluation.report import (
    Advantage,
    Agreement,
    Figure,
    GateMeasurement,
    GateReport,
    Grades,
    Measurement,
    MetricsFile,
    Removal,
    read_metrics,
    write_metrics,
)


def measurement(value: float, seen: str = "unmasked", **changes) -> Measurement:
    fields = {
        "model": "m2rec",
        "protocol": "leave-one-out, every item ranked",
        "split": "test",
        "seen": seen,
        "seeds": [1, 2],
        "targets": 10,
        "figures": {"HR@10": Figure(value=value, low=value - 0.1, high=value + 0.1)},
        "hardware": "cpu",
        "date": date(2026, 11, 24),
        "command": "python -m m2rec evaluate market",
        "revision": "abc",
    }
    return Measurement.model_validate(fields | changes)


def removal(whole: float, without: float, branch: str = "frequency", seen: str = "unmasked") -> Removal:
    about = {"split", "seeds", "targets", "hardware", "date", "command", "revision"}
    adds = Advantage(value=whole - without, low=-0.1, high=0.9, p=0.5)
    return Removal(
        branch=branch,
        seen=seen,
        figures={"HR@10": Figure(value=without)},
        adds={"HR@10": adds},
        **measurement(whole).model_dump(include=about),
    )


def test_a_figure_comes_back_with_all_that_was_written_with_it(tmp_path):
    written = MetricsFile(world="market").with_measurements([measurement(0.3), measurement(0.4, "masked")])
    write_metrics(tmp_path, written)
    assert read_metrics(tmp_path, "market") == written
    row = json.loads((tmp_path / "metrics.json").read_text())["measurements"][0]
    assert {"protocol", "split", "seeds", "hardware", "date", "command", "revision", "figures"} <= set(row)
    assert row["figures"]["HR@10"] == {"value": 0.3, "low": pytest.approx(0.2), "high": pytest.approx(0.4)}


def test_measuring_again_replaces_and_measuring_something_else_adds():
    file = MetricsFile(world="market").with_measurements([measurement(0.3), measurement(0.4, "masked")])
    file = file.with_measurements([measurement(0.35), measurement(0.2, split="validation")])
    assert [row.figures["HR@10"].value for row in file.measurements] == [0.35, 0.4, 0.2]


def test_a_branch_that_is_switched_off_again_replaces_and_another_adds(tmp_path):
    file = MetricsFile(world="market").with_measurements([measurement(0.3), measurement(0.4, "masked")])
    file = file.with_removals([removal(0.3, 0.2), removal(0.4, 0.3, seen="masked")])
    file = file.with_removals([removal(0.3, 0.25), removal(0.3, 0.1, "semantic")])
    write_metrics(tmp_path, file)
    found = read_metrics(tmp_path, "market").removals
    assert [(one.branch, one.seen, one.figures["HR@10"].value) for one in found] == [
        ("frequency", "unmasked", 0.25),
        ("frequency", "masked", 0.3),
        ("semantic", "unmasked", 0.1),
    ]


def test_a_new_figure_of_the_whole_model_drops_what_was_compared_with_the_old_one():
    file = MetricsFile(world="market").with_measurements([measurement(0.3), measurement(0.4, "masked")])
    file = file.with_removals([removal(0.3, 0.2), removal(0.4, 0.3, seen="masked")])
    assert file.with_measurements([measurement(0.3)]).removals == file.removals
    assert [one.seen for one in file.with_measurements([measurement(0.31)]).removals] == ["masked"]


def test_grades_of_the_gate_stand_beside_the_figures(tmp_path):
    row = Agreement(auc=0.9, oracle=0.95, weight_with=0.8, weight_without=0.1, targets=5)
    report = GateReport(gates={"frequency": row}, by_period={"7": row}, by_cycles={})
    about = measurement(0.3).model_dump(
        include={"split", "seeds", "targets", "hardware", "date", "command", "revision"}
    )
    graded = GateMeasurement(grades=Grades(gates=report, oracle={"HR@10": 0.7}, hits={}), **about)
    written = MetricsFile(world="market", measurements=[measurement(0.3)], gates=graded)
    write_metrics(tmp_path, written)
    assert read_metrics(tmp_path, "market") == written
    assert read_metrics(tmp_path, "market").with_measurements([measurement(0.4)]).gates == graded


def test_a_folder_without_figures_is_empty_and_no_error(tmp_path):
    assert read_metrics(tmp_path, "market").measurements == []


@pytest.mark.parametrize("content", ["", "{", '{"format": 2, "world": "market"}', '{"world": "market", "other": 1}'])
def test_a_damaged_file_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"metrics\.json is not a readable metrics file .*; restore or delete it"):
        read_metrics(tmp_path, "market")


def test_figures_of_another_world_are_refused(tmp_path):
    write_metrics(tmp_path, MetricsFile(world="ml-1m"))
    with pytest.raises(CheckpointError, match="ml-1m, not of market"):
        read_metrics(tmp_path, "market")


@pytest.mark.parametrize(
    "figure", [{"value": float("nan")}, {"value": 1, "low": 0}, {"value": 1, "low": 2, "high": 0}, {}]
)
def test_a_figure_must_be_a_number_with_a_whole_interval_or_none(figure):
    with pytest.raises(ValidationError):
        Figure.model_validate(figure)


def test_a_full_disk_leaves_the_old_figures(tmp_path, monkeypatch):
    old = MetricsFile(world="market").with_measurements([measurement(0.3)])
    write_metrics(tmp_path, old)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        write_metrics(tmp_path, MetricsFile(world="market"))
    assert read_metrics(tmp_path, "market") == old
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
