"""Starting weights other than random ones: those of a checkpoint, or of a temporal branch that was trained alone.

A checkpoint of the same shape gives all of its weights. It may also have fewer temporal layers: the additional layers
are new, and a new layer changes nothing until it is trained.

A finished `mamba2` run of a plan is M2Rec's temporal branch over ID vectors, trained by itself. It gives the temporal
branch, the ID vectors and the items' biases (`benchmark.accuracy.job` saves its weights). The other weights are new.
The text projection starts at a tenth of its usual size, which keeps the item vectors close to those the branch was
trained on, and the gate starts with most of its weight on the trained branch.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from m2rec.atomic import atomic_file
from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint, TrainingRecord
from m2rec.data.prepared import Prepared
from m2rec.errors import CheckpointError
from m2rec.model.m2rec import M2Rec

TEMPORAL_ALONE = "mamba2"  # the kind of baseline that is the temporal branch by itself
TEXT_SCALE = 0.1  # of the text projection's usual initial size
GATE_BIAS = 2.0  # added to the gate's initial logit of the temporal branch
_LAYER = re.compile(r"temporal\.(?:layers|norms)\.(\d+)\.")
# of the temporal branch, a run never has the first of these, and the others only with a repeat bias
_NOT_IN_A_RUN = {"temporal.softmax.popularity", "temporal.softmax.repeat_bias", "temporal.softmax.newest_bias"}
_NAMES = {
    "items.ids": "ids",
    "items.bias": "bias",
    "encoder.branch.": "temporal.",
    "encoder.norm.": "temporal.softmax.norm.",
    "encoder.log_temperature": "temporal.softmax.log_temperature",
    "repeat_bias": "temporal.softmax.repeat_bias",
    "newest_bias": "temporal.softmax.newest_bias",
}


class FinishedRun(BaseModel):
    """The metadata of the weights file of a plan's finished run."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    fingerprint: str  # of the prepared data
    record: TrainingRecord


@dataclass(frozen=True)
class Start:
    """Weights to start from, named as in M2Rec's state dict; how they were trained; and a short hash of their file."""

    weights: dict[str, Tensor]
    record: TrainingRecord
    origin: str


def save_finished(path: Path, model: nn.Module, run: FinishedRun) -> None:
    """Save the weights of a finished run. Raises OSError when they cannot be written."""
    weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    with atomic_file(path) as temporary:
        save_file(weights, temporary, {"m2rec": run.model_dump_json()})


def load_start(path: Path, model: M2Rec, prepared: Prepared) -> Start:
    """Initial weights for `model`, read from a checkpoint's folder or from the file of a finished `mamba2` run.

    Raises CheckpointError when `path` is neither or not there, when its items are not those of `prepared`, or when the
    shapes of its weights differ from the model's.
    """
    _refuse_missing(path)
    start = _of_run(path, model, prepared) if path.is_file() else _of_checkpoint(path, model, prepared)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if {name: tensor.shape for name, tensor in start.weights.items()} != shapes:
        raise CheckpointError(f"The weights of {path} do not fit these settings; choose weights of the same shape.")
    return start


def _of_checkpoint(path: Path, model: M2Rec, prepared: Prepared) -> Start:
    checkpoint = Checkpoint.load(path)
    if [item.item_id for item in checkpoint.items] != prepared.item_ids:
        raise CheckpointError(
            f"The checkpoint of {checkpoint.config.world} has other items than {prepared.name}, or the same items in "
            "another order; start from a checkpoint of the same data."
        )
    weights = {name: torch.tensor(array) for name, array in checkpoint.weights.items()}
    weights["text"] = model.text  # the text vectors may have been computed again since
    layers = _further_layers(model, checkpoint.config.model.temporal_layers)
    return Start(weights | layers, checkpoint.config.training, checkpoint.config.sha256["model.safetensors"][:8])


def finished_run(path: Path) -> FinishedRun:
    """The metadata of a finished run's weights. Raises CheckpointError when there is no such file."""
    _refuse_missing(path)
    return _read_run(path)[0]


def _read_run(path: Path) -> tuple[FinishedRun, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            run = FinishedRun.model_validate_json((file.metadata() or {}).get("m2rec", "{}"))
            return run, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 – not a dict
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(
            f"{path} is neither a checkpoint's folder nor the weights of a finished run ({error})."
        ) from error


def _refuse_missing(path: Path) -> None:
    if path.suffix == ".safetensors" and not path.exists():
        raise CheckpointError(
            f"There are no weights at {path}: a plan's run leaves them in the cache of the machine that trained it. "
            "Train it here with `benchmark train PLAN --only MODEL --runs FOLDER`."
        )


def _of_run(path: Path, model: M2Rec, prepared: Prepared) -> Start:
    run, found = _read_run(path)
    origin = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    if run.kind != TEMPORAL_ALONE:
        raise CheckpointError(f"{path} is a {run.kind} run; of the baselines, only a {TEMPORAL_ALONE} run can be used.")
    if run.fingerprint != prepared.fingerprint:
        raise CheckpointError(f"{path} was not trained on the data of {prepared.name}; choose a run on the same data.")
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights["project.weight"] *= TEXT_SCALE
    weights["gate.feed.3.bias"][BRANCHES.index("temporal")] += GATE_BIAS
    given = {_renamed(name): tensor for name, tensor in found.items()}
    layers = 1 + max((int(match[1]) for name in given if (match := _LAYER.match(name))), default=0)
    further = _further_layers(model, layers)
    learned_alone = {name for name in weights if name.startswith(("ids", "bias", "temporal."))} - _NOT_IN_A_RUN
    missing = sorted(learned_alone - given.keys() - further.keys())
    if missing:
        raise CheckpointError(f"{path} is incomplete: it has no {missing[0]}; choose a finished run.")
    if not all(bool(tensor.isfinite().all()) for tensor in given.values()):
        raise CheckpointError(f"{path} holds weights that are not finite; choose another run.")
    return Start(weights | given | further, run.record, origin)


def _further_layers(model: M2Rec, known: int) -> dict[str, Tensor]:
    """The new model's weights of temporal layers `known`, `known` + 1, …"""
    return {
        name: tensor.clone()
        for name, tensor in model.state_dict().items()
        if (found := _LAYER.match(name)) and int(found[1]) >= known
    }


def _renamed(name: str) -> str:
    for old, new in _NAMES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    raise CheckpointError(f"The weights have a tensor {name}, which is not part of a temporal branch.")
