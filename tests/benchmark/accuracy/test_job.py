"""One run: where its settings come from, what it saves, and how it resumes."""

import time
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from m2rec.baselines.registry import BASELINES, COUNTING
from m2rec.benchmark.accuracy.job import Job, OutOfTimeError
from m2rec.data.prepared import Prepared
from m2rec.data.repeats import repeat_log_odds
from m2rec.errors import DataError
from m2rec.evaluation.protocol import Scorer, evaluate
from m2rec.training.start import FinishedRun
from tests.benchmark.conftest import MakeJob

ABLATIONS = [
    {"settings": {"branches": ["temporal", "semantic"]}},
    {"settings": {"branches": ["temporal", "frequency"]}, "treatment": "text-removed"},
    {"treatment": "text-permuted"},
    {"treatment": "order-shuffled"},
    {"settings": {"gate": "equal"}},
    {"settings": {"gate": "features"}},
    {"settings": {"time_scales": [4.0], "heads_per_scale": 3}},
    {"settings": {"adaptive_filter": False}},
    {"settings": {"frequency": "spectral"}},
    {"settings": {"frequency": "spectral", "filter": "low-pass"}},
    {"settings": {"repeat_bias": False}},
]


def run(job: Job, prepared: Prepared, **options: object):
    return job.run(prepared, command="python -m m2rec …", cpu=True, **options)


@pytest.mark.parametrize("kind", BASELINES)
def test_every_baseline_is_trained_evaluated_and_saved(kind: str, job: MakeJob, prepared: Prepared) -> None:
    one = job(kind)
    assert one.result() is None
    result = run(one, prepared)
    assert one.result() == result
    assert result.epochs == (0 if kind in COUNTING else 2)
    assert result.targets == len(prepared.split.targets("test")[0])
    assert set(result.test or {}) == set(result.validation) == {"unmasked", "masked"}
    assert not one.state_file.exists()
    assert one.weights_file.exists() == (kind not in COUNTING)


def test_the_saved_weights_are_the_evaluated_ones(job: MakeJob, prepared: Prepared) -> None:
    one = job("sasrec")
    result = run(one, prepared)
    model = one.make_model(prepared)
    model.load_state_dict(load_file(one.weights_file))
    measured = evaluate(cast(Scorer, model), prepared, "test", one.settings["max_length"])
    assert {seen: dict(figures) for seen, figures in measured.figures.items()} == result.test


def test_the_saved_weights_have_the_training_record_of_the_result(job: MakeJob, prepared: Prepared) -> None:
    one = job("sasrec")
    result = run(one, prepared)
    with safe_open(one.weights_file, framework="pt") as file:
        kept = FinishedRun.model_validate_json(file.metadata()["m2rec"])
    assert kept.kind == "sasrec"
    assert kept.record.validation == {name: result.validation["unmasked"][name] for name in ("NDCG@10", "HR@10")}
    assert kept.record.settings == result.training
    for name in ("command", "epochs", "best_epoch", "seconds", "peak_memory_mib", "date"):
        assert getattr(kept.record, name) == getattr(result, name)
    assert kept.record.git_revision == result.revision


@pytest.mark.parametrize("entry", ABLATIONS, ids=lambda entry: str(entry.get("treatment", entry.get("settings"))))
def test_every_ablation_of_m2rec_is_trained(entry: dict, job: MakeJob, prepared: Prepared) -> None:
    result = run(job("m2rec", training={"epochs": 1}, **entry), prepared)
    assert result.epochs == 1
    assert result.treatment == entry.get("treatment", "none")


def test_the_same_run_twice_gives_the_same_figures(job: MakeJob, prepared: Prepared) -> None:
    first = run(job("sasrec"), prepared)
    job("sasrec").result_file.unlink()
    second = run(job("sasrec"), prepared)
    assert (first.test, first.validation) == (second.test, second.validation)


def test_a_run_learns_a_circle_of_items(job: MakeJob, prepared: Prepared) -> None:
    result = run(job("lrurec", training={"epochs": 60, "patience": 60}), prepared)
    assert result.test is not None
    assert result.test["unmasked"]["HR@5"] > 0.9


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────


def test_later_settings_win_and_all_models_share_width_length_and_dropout(job: MakeJob) -> None:
    assert job("sasrec").settings == {
        "width": 8, "max_length": 12, "dropout": 0.0, "layers": 2, "heads": 2, "expansion": 1,
    }  # fmt: skip
    plan = {"settings": {"dropout": 0.3, "time_scales": [4.0]}, "training": {"epochs": 7, "patience": 3}}
    changed = job("sasrec", plan=plan, settings={"heads": 1}, training={"patience": 5}, seed=4)
    assert (changed.settings["dropout"], changed.settings["heads"]) == (0.3, 1)
    assert (changed.training.epochs, changed.training.patience, changed.training.seed) == (7, 5, 4)
    m2rec = job("m2rec", plan=plan)
    assert (m2rec.settings["dropout"], m2rec.settings["time_scales"]) == (0.3, [4.0])


def test_a_rate_for_repeat_biases_is_part_of_the_runs_that_have_them_only(job: MakeJob) -> None:
    plan = {"training": {"repeat_bias_rate": 10.0}}
    assert job("sasrec", plan=plan).key == job("sasrec").key
    assert job("m2rec", plan=plan, settings={"repeat_bias": False}).training.repeat_bias_rate == 1
    biased = {"settings": {"repeat_bias": True}}
    assert job("sasrec", plan=plan, **biased).key != job("sasrec", **biased).key
    assert job("m2rec", plan=plan).training.repeat_bias_rate == 10


@pytest.mark.parametrize(
    ("kind", "entry", "reason"),
    [
        ("sasrek", {}, "asks for a model 'sasrek'"),
        ("sasrec", {"settings": {"depth": 2}}, "sasrec has a mistake at depth"),
        ("m2rec", {"settings": {"gate": "open"}}, "m2rec has a mistake at gate"),
        ("sasrec", {"training": {"epochs": 0}}, "the training of sasrec has a mistake at epochs"),
        ("popularity", {"settings": {"width": 3}}, "popularity takes none"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_runs(
    kind: str, entry: dict, reason: str, job: MakeJob
) -> None:
    with pytest.raises(DataError, match=reason):
        job(kind, **entry)


# ── keeping and going on ────────────────────────────────────────────────────────────────────────────────────


def test_a_result_counts_only_for_the_same_run(job: MakeJob, prepared: Prepared) -> None:
    run(job("popularity"), prepared)
    assert job("popularity").result() is not None
    assert job("popularity", seed=1).result() is None
    assert job("popularity", treatment="order-shuffled").result() is None
    assert job("popularity", plan={"test": False}).result() is None
    job("popularity").ranks_file.unlink()
    assert job("popularity").result() is None


def test_a_damaged_result_is_refused_by_name_and_not_overwritten(job: MakeJob, prepared: Prepared) -> None:
    run(job("popularity"), prepared)
    job("popularity").result_file.write_text("{")
    with pytest.raises(DataError, match="delete it to run it again"):
        job("popularity").result()


def test_a_run_without_time_for_another_epoch_stops_and_later_resumes_to_the_same_result(
    job: MakeJob, prepared: Prepared, tmp_path: Path
) -> None:
    whole = run(job("gru4rec"), prepared)
    job("gru4rec").result_file.unlink()
    with pytest.raises(OutOfTimeError):
        run(job("gru4rec"), prepared, deadline=time.monotonic())
    assert job("gru4rec").state_file.exists()
    assert job("gru4rec").result() is None
    seen = []
    resumed = run(job("gru4rec"), prepared, on_epoch=lambda report: seen.append(report.epoch))
    assert seen == [2]
    assert resumed.test == whole.test


def test_a_stopped_run_is_ranked_at_its_best_epoch_and_can_still_be_resumed(job: MakeJob, prepared: Prepared) -> None:
    whole = run(job("gru4rec"), prepared)
    job("gru4rec").result_file.unlink()
    with pytest.raises(OutOfTimeError):
        run(job("gru4rec"), prepared, deadline=time.monotonic())
    found = run(job("gru4rec"), prepared, finish=True)
    assert (found.epochs, found.best_epoch) == (1, 1)
    assert job("gru4rec").result() == found
    assert run(job("gru4rec"), prepared).test == whole.test


def test_a_run_whose_last_epoch_is_over_needs_no_time_for_another(job: MakeJob, prepared: Prepared) -> None:
    one = job("gru4rec", plan={"training": {"epochs": 1}})
    assert run(one, prepared, deadline=time.monotonic()).epochs == 1


def test_the_test_set_is_not_used_if_the_plan_says_so(
    job: MakeJob, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    from m2rec.benchmark.accuracy import job as module

    parts = []
    real = module.evaluate

    def watched(model, data, part, longest):
        parts.append(part)
        return real(model, data, part, longest)

    monkeypatch.setattr(module, "evaluate", watched)
    assert run(job("popularity", plan={"test": False}), prepared).test is None
    assert parts == ["validation"]


@pytest.mark.parametrize("kind", ["m2rec", "sasrec"])
def test_a_repeat_bias_starts_from_the_training_part(kind: str, job: MakeJob, prepared: Prepared) -> None:
    """In training nobody completes the circle, so there are fewer repeats than popularity alone would give."""
    start = repeat_log_odds(prepared)
    assert start < -1
    model = job(kind, settings={"repeat_bias": True}).make_model(prepared)
    biases = [parameter.item() for name, parameter in model.named_parameters() if name.endswith("repeat_bias")]
    assert biases == pytest.approx([start] * len(biases))
    assert biases


def test_ablations_of_m2rec_start_from_the_same_weights(job: MakeJob, prepared: Prepared) -> None:
    plain = job("m2rec").make_model(prepared).state_dict()
    without = job("m2rec", settings={"branches": ["temporal", "semantic"]}).make_model(prepared).state_dict()
    assert all(torch.equal(plain[name], without[name]) for name in plain)
