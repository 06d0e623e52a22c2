"""A run is repeatable, survives a kill, and gives the same result however many processes share it."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from m2rec.errors import CheckpointError, NotFiniteError
from m2rec.evaluation.protocol import evaluate
from m2rec.model.m2rec import M2Rec
from m2rec.training.resume import EpochReport
from m2rec.training.run import train
from m2rec.training.settings import TrainingSettings
from m2rec.training.trained import Trained
from tests.places import ROOT
from tests.training.small import small_model, small_prepared

SETTINGS = TrainingSettings(epochs=3, batch_size=8, warmup_steps=2, learning_rate=5e-3)


def _weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _run(tmp_path: Path, settings: TrainingSettings = SETTINGS, **options) -> M2Rec:
    return train(
        small_model(), small_prepared(), settings, 12, tmp_path / "state", cpu=True, show=False, **options
    ).model


def test_loss_falls(tmp_path: Path) -> None:
    reports = []
    _run(tmp_path, on_epoch=reports.append)
    assert reports[-1].loss < reports[0].loss - 0.1


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    first, second = _weights(_run(tmp_path / "a")), _weights(_run(tmp_path / "b"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_runs_of_one_process_may_differ_in_precision(tmp_path: Path) -> None:
    weights = []
    for name, precision in (("a", "bf16"), ("b", "fp32"), ("c", "bf16")):
        settings = SETTINGS.model_copy(update={"epochs": 1, "precision": precision})
        weights.append(_weights(_run(tmp_path / name, settings)))
    first, other, again = weights
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


class KilledError(Exception):
    """Stands for a kill between two epochs."""


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("after", [1, 2])
def test_an_interrupted_run_resumes_to_the_same_result(tmp_path: Path, after: int, ema_decay: float) -> None:
    settings = SETTINGS.model_copy(update={"ema_decay": ema_decay, "repeat_bias_rate": 10.0})

    def stop(report) -> None:
        if report.epoch == after:
            raise KilledError

    with pytest.raises(KilledError):
        _run(tmp_path / "broken", settings, on_epoch=stop)
    seen = []
    resumed = _weights(_run(tmp_path / "broken", settings, on_epoch=lambda report: seen.append(report.epoch)))
    whole = _weights(_run(tmp_path / "whole", settings))
    assert seen == list(range(after + 1, SETTINGS.epochs + 1))
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


def test_on_better_gets_the_best_model_so_far_also_after_resuming(tmp_path: Path) -> None:
    handed: list[tuple[int, dict[str, torch.Tensor]]] = []

    def better(trained: Trained) -> None:
        handed.append((trained.progress.best_epoch, _weights(trained.model)))
        assert trained.progress.best_epoch == len(trained.progress.epochs) or not seen

    def stop(report: EpochReport) -> None:
        seen.append(report.epoch)
        if report.epoch == 2:
            raise KilledError

    seen: list[int] = []
    with pytest.raises(KilledError):
        _run(tmp_path, on_epoch=stop, on_better=better)
    epoch, weights = handed[-1]
    seen.clear()
    handed.clear()
    best = _weights(_run(tmp_path, on_better=better, on_epoch=lambda report: seen.append(report.epoch)))
    assert handed[0][0] == epoch
    assert all(torch.equal(handed[0][1][name], weights[name]) for name in weights)
    assert all(torch.equal(handed[-1][1][name], best[name]) for name in best)


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_the_saved_weights_are_the_validated_ones(tmp_path: Path, ema_decay: float) -> None:
    settings = SETTINGS.model_copy(update={"ema_decay": ema_decay})
    trained = train(small_model(), small_prepared(), settings, 12, tmp_path / "state", cpu=True, show=False)
    again = evaluate(trained.model, small_prepared(), "validation", 12).figures["unmasked"]
    assert trained.progress.epochs[trained.progress.best_epoch - 1].validation.items() <= again.items()


def test_a_run_that_diverges_says_so_and_keeps_the_epochs_before(tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError, match=r"diverged in epoch 1, .*learning_rate \(it is 1e\+18\)\.$"):
        _run(tmp_path / "at once", SETTINGS.model_copy(update={"learning_rate": 1e18}))
    assert not (tmp_path / "at once" / "state").exists()

    def break_it(trained: Trained) -> None:
        with torch.no_grad():
            next(trained.model.parameters()).fill_(torch.nan)

    state = tmp_path / "later"
    with pytest.raises(NotFiniteError, match=r"diverged in epoch 2, .* add only --finish to save the best epoch"):
        _run(state, on_better=break_it)
    kept = _run(state, finish=True)
    assert all(tensor.isfinite().all() for tensor in kept.state_dict().values())


def test_weights_of_too_large_a_size_are_refused_before_they_are_saved(tmp_path: Path) -> None:
    one_step = SETTINGS.model_copy(update={"learning_rate": 1e30, "batch_size": 1000, "epochs": 1})
    with pytest.raises(NotFiniteError, match="diverged in epoch 1"):
        _run(tmp_path, one_step)
    assert not (tmp_path / "state").exists()


def test_repeat_biases_learn_at_their_own_rate(tmp_path: Path) -> None:
    start = _weights(small_model())
    slow, fast = (
        _weights(_run(tmp_path / str(rate), SETTINGS.model_copy(update={"epochs": 1, "repeat_bias_rate": rate})))
        for rate in (1e-12, 10.0)
    )
    bias = "temporal.softmax.repeat_bias"
    torch.testing.assert_close(slow[bias], start[bias])
    assert abs(fast[bias] - start[bias]) > 10 * SETTINGS.learning_rate
    assert not torch.equal(slow["ids"], start["ids"])


def test_gradients_are_clipped(tmp_path: Path) -> None:
    """To so little that AdamW's floor keeps the steps small."""
    still = SETTINGS.model_copy(update={"clip_norm": 1e-12, "weight_decay": 0.0})
    begun, ended = _weights(small_model()), _weights(_run(tmp_path, still))
    assert all(torch.allclose(begun[name], ended[name], atol=1e-5) for name in begun)


def test_a_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    _run(tmp_path)
    with pytest.raises(CheckpointError, match="other settings"):
        _run(tmp_path, SETTINGS.model_copy(update={"learning_rate": 1e-4}))


@pytest.mark.parametrize("changes", [{"dropout": 0.4}, {"time_scales": (3.0, 30.0, 90.0)}, {"gate": "equal"}])
def test_a_state_of_a_model_with_other_settings_of_the_same_shape_is_refused(tmp_path: Path, changes: dict) -> None:
    _run(tmp_path)
    with pytest.raises(CheckpointError, match="other settings"):
        train(small_model(**changes), small_prepared(), SETTINGS, 12, tmp_path / "state", cpu=True, show=False)


def test_a_state_of_a_model_with_other_texts_is_refused(tmp_path: Path) -> None:
    _run(tmp_path)
    rewritten = small_prepared()
    rewritten.text_vectors[5] *= -1
    with pytest.raises(CheckpointError, match="other settings"):
        train(small_model(rewritten), rewritten, SETTINGS, 12, tmp_path / "state", cpu=True, show=False)


def test_an_older_state_without_this_record_still_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("m2rec.training.run.made_from", lambda model: None)
        _run(tmp_path)
    seen: list[int] = []
    _run(tmp_path, on_epoch=lambda report: seen.append(report.epoch))
    assert seen == []


def test_a_damaged_state_is_refused_by_name(tmp_path: Path) -> None:
    _run(tmp_path)
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="not a readable training state"):
        _run(tmp_path)


def test_a_run_that_is_resumed_elsewhere_names_both_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(report) -> None:
        raise KilledError

    monkeypatch.setattr("m2rec.training.run.device_name", lambda device: "a GPU")
    with pytest.raises(KilledError):
        _run(tmp_path, on_epoch=stop)
    run = partial(train, small_model(), small_prepared(), SETTINGS, 12, tmp_path / "state", cpu=True, show=False)
    monkeypatch.setattr("m2rec.training.run.device_name", lambda device: "another")
    assert run(finish=True).device == "a GPU"
    assert run().device == "a GPU, then another"


def test_restart_starts_over(tmp_path: Path) -> None:
    _run(tmp_path)
    seen = []
    _run(tmp_path, restart=True, on_epoch=lambda report: seen.append(report.epoch))
    assert seen == [1, 2, 3]


def test_it_stops_when_validation_no_longer_rises(tmp_path: Path) -> None:
    seen = []
    still = SETTINGS.model_copy(update={"epochs": 50, "patience": 2, "learning_rate": 1e-12})
    _run(tmp_path, still, on_epoch=lambda report: seen.append(report.epoch))
    assert seen == [1, 2, 3]


@pytest.mark.slow
def test_a_process_killed_outright_resumes_from_its_last_epoch(tmp_path: Path) -> None:
    script = [sys.executable, "-m", "tests.training.small", str(tmp_path / "state"), "200"]
    process = subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=_environment())
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["epoch"] == 2:
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = subprocess.run(
        [*script[:-1], "4"], cwd=ROOT, capture_output=True, text=True, check=False, env=_environment()
    )
    # a run of 4 epochs may not resume one of 200; with the same number of epochs it may
    assert "other settings" in done.stderr
    again = subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=_environment())
    assert again.stdout is not None
    first = json.loads(again.stdout.readline())["epoch"]
    again.kill()
    again.wait()
    assert first >= 3


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(tmp_path: Path) -> None:
    script = ["-m", "tests.training.small"]
    # --multi_gpu only picks the launcher that starts several processes; the run itself asks for the CPU
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    many = _last_line([*launch, *script, str(tmp_path / "two"), "2"])
    one = _last_line([sys.executable, *script, str(tmp_path / "one"), "2"])
    assert (many["processes"], one["processes"]) == (2, 1)
    assert many["loss"] == pytest.approx(one["loss"], rel=1e-5)
    assert many["weights"] == pytest.approx(one["weights"], rel=1e-4)


@pytest.mark.slow
def test_training_needs_neither_the_page_nor_the_text_encoder() -> None:
    script = (
        "import sys, m2rec.training.world; print([m for m in ('gradio', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def _last_line(command: list[str]) -> dict:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=_environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_finish_trains_nothing_more_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    def stop(report) -> None:
        if report.epoch == 2:
            raise KilledError

    with pytest.raises(KilledError):
        _run(tmp_path, on_epoch=stop)
    seen = []
    state = tmp_path / "state"
    options = {"cpu": True, "show": False, "finish": True, "on_epoch": seen.append}
    trained = train(small_model(), small_prepared(), SETTINGS, 12, state, **options)
    assert seen == []
    assert len(trained.progress.epochs) == 2
    assert trained.progress.best_epoch in (1, 2)
