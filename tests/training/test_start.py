"""Starting weights: a checkpoint of the same shape or a smaller one, or a temporal branch that was trained alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from m2rec.baselines.registry import make_baseline
from m2rec.checkpoint import TrainingRecord
from m2rec.data.prepared import Prepared
from m2rec.errors import CheckpointError
from m2rec.training.start import FinishedRun, load_start, save_finished
from tests.training.small import SHAPE, small_model, small_prepared

RECORD = TrainingRecord(
    settings={}, command="…", epochs=1, best_epoch=1, seconds=1, peak_memory_mib=1, git_revision="", date="2026-01-01"
)
HISTORY = torch.tensor([[3, 4, 5, 6, 11, 12, 0, 0]])
LAST = torch.tensor([[False] * 5 + [True] + [False] * 2])


@pytest.fixture
def prepared() -> Prepared:
    return small_prepared()


def alone(prepared: Prepared, kind: str = "mamba2") -> torch.nn.Module:
    torch.manual_seed(3)
    names = ("width", "heads_per_scale", "head_width", "state_width", "dropout")
    settings = {name: SHAPE[name] for name in names} if kind == "mamba2" else {"width": SHAPE["width"]}
    text = torch.from_numpy(prepared.text_vectors)
    model = make_baseline(kind, prepared.item_count, prepared.warm_items, text, settings).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # as if trained: new layers change nothing
            parameter += 0.1 * torch.randn_like(parameter)
    return model


def finished(path: Path, prepared: Prepared, kind: str = "mamba2") -> Path:
    run = FinishedRun(kind=kind, fingerprint=prepared.fingerprint, record=RECORD)
    save_finished(path, alone(prepared, kind), run)
    return path


@pytest.mark.parametrize("layers", [1, 2])
def test_the_temporal_branch_scores_as_it_did_alone(tmp_path: Path, prepared: Prepared, layers: int) -> None:
    model = small_model(prepared, temporal_layers=layers, temporal_input="vectors").eval()
    start = load_start(finished(tmp_path / "run.safetensors", prepared), model, prepared)
    assert start.record == RECORD
    model.load_state_dict(start.weights)
    with torch.no_grad():
        model.project.weight.zero_()  # without texts an item's vector is its ID vector
        model.temporal.softmax.repeat_bias.zero_()
        at = model.encode(HISTORY).at(LAST)
        seen = torch.zeros(1, prepared.item_count, dtype=torch.bool)
        ours = model.branch_log_probabilities(at, seen)[:, 0]
        theirs = alone(prepared).log_scores(HISTORY, LAST)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert at.log_gate.argmax() == 0


def test_the_text_projection_starts_small_and_other_branches_untrained(tmp_path: Path, prepared: Prepared) -> None:
    model = small_model(prepared)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights = load_start(finished(tmp_path / "run.safetensors", prepared), model, prepared).weights
    torch.testing.assert_close(weights["project.weight"], before["project.weight"] / 10)
    for name, tensor in before.items():
        assert torch.equal(model.state_dict()[name], tensor)  # loading changes nothing yet
        if name.startswith(("frequency.", "semantic.")):
            assert torch.equal(weights[name], tensor)


@pytest.mark.parametrize(("kind", "says"), [("sasrec", "only a mamba2"), ("gru4rec", "only a mamba2")])
def test_another_baseline_is_refused(tmp_path: Path, prepared: Prepared, kind: str, says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        load_start(finished(tmp_path / "run.safetensors", prepared, kind), small_model(prepared), prepared)


def test_a_run_of_other_data_is_refused(tmp_path: Path, prepared: Prepared) -> None:
    other = replace(prepared, item_ids=prepared.item_ids[::-1])
    path = finished(tmp_path / "run.safetensors", other)
    with pytest.raises(CheckpointError, match="not trained on the data"):
        load_start(path, small_model(prepared), prepared)


def test_a_run_of_another_shape_is_refused(tmp_path: Path, prepared: Prepared) -> None:
    path = finished(tmp_path / "run.safetensors", prepared)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_start(path, small_model(prepared, state_width=4), prepared)


@pytest.mark.parametrize("part", ["encoder.branch.layers.", "encoder.branch.norms.", "encoder.", "items.ids", ""])
def test_a_run_without_some_of_its_weights_is_refused(tmp_path: Path, prepared: Prepared, part: str) -> None:
    path = finished(tmp_path / "run.safetensors", prepared)
    weights = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(part)}
    run = FinishedRun(kind="mamba2", fingerprint=prepared.fingerprint, record=RECORD)
    save_file(weights, path, {"m2rec": run.model_dump_json()})
    with pytest.raises(CheckpointError, match=r"is incomplete: it has no (ids|bias|temporal)"):
        load_start(path, small_model(prepared), prepared)


def test_a_run_whose_first_layer_is_missing_is_refused(tmp_path: Path, prepared: Prepared) -> None:
    path = finished(tmp_path / "run.safetensors", prepared)
    weights = {name.replace(".layers.0.", ".layers.1."): tensor for name, tensor in load_file(path).items()}
    run = FinishedRun(kind="mamba2", fingerprint=prepared.fingerprint, record=RECORD)
    save_file(weights, path, {"m2rec": run.model_dump_json()})
    with pytest.raises(CheckpointError, match=r"it has no temporal\.layers\.0"):
        load_start(path, small_model(prepared, temporal_layers=2), prepared)


def test_a_run_with_weights_that_are_not_finite_is_refused(tmp_path: Path, prepared: Prepared) -> None:
    model = alone(prepared)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = torch.nan
    path = tmp_path / "run.safetensors"
    save_finished(path, model, FinishedRun(kind="mamba2", fingerprint=prepared.fingerprint, record=RECORD))
    with pytest.raises(CheckpointError, match="not finite"):
        load_start(path, small_model(prepared), prepared)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"m2rec": "{}"}, {"m2rec": "[]"}, {"m2rec": "x"}])
def test_weights_without_valid_metadata_are_refused(
    tmp_path: Path, prepared: Prepared, metadata: dict[str, str] | None
) -> None:
    path = tmp_path / "run.safetensors"
    save_file(load_file(finished(tmp_path / "whole", prepared)), path, metadata)
    with pytest.raises(CheckpointError, match="neither a checkpoint's folder nor"):
        load_start(path, small_model(prepared), prepared)


def test_a_file_that_is_not_a_run_is_refused(tmp_path: Path, prepared: Prepared) -> None:
    path = tmp_path / "run.safetensors"
    for content in (b"", b"not a run", finished(tmp_path / "cut", prepared).read_bytes()[:200]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="neither a checkpoint's folder nor"):
            load_start(path, small_model(prepared), prepared)


def test_a_run_whose_weights_are_on_another_machine_says_how_to_train_it(tmp_path: Path, prepared: Prepared) -> None:
    with pytest.raises(CheckpointError, match="in the cache of the machine that trained it"):
        load_start(tmp_path / "runs" / "plan" / "mamba2-0.best.safetensors", small_model(prepared), prepared)
