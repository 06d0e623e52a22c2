"""What a run may start from instead of new weights: an earlier checkpoint, or a temporal branch that has learned alone.

A checkpoint of the same shape gives all of its weights. One with fewer temporal layers gives those that it has; a
further layer adds nothing until it has learned, for its output projection starts at zero.

A finished `mamba2` run of a plan is M2Rec's temporal branch over ID vectors, trained by itself. It gives temporal
branch, ID vectors and popularity (`benchmark.accuracy.job` keeps its weights). The rest is new: text enters the item
vectors at a tenth of its usual size, so that they are nearly those the branch knows, and the gate begins with most of
its weight on the branch that has learned.
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

ALONE = "mamba2"  # the kind of baseline that is the temporal branch alone
TEXT_AT_FIRST = 0.1  # of the usual size of P
TRUST_AT_FIRST = 2.0  # log-odds that the gate adds to the temporal branch
_LAYER = re.compile(r"temporal\.(?:layers|norms)\.(\d+)\.")
_NOT_IN_A_RUN = {"temporal.softmax.popularity", "temporal.softmax.repeat_bias"}  # M2Rec's own, or optional in a run
_NAMES = {
    "items.ids": "ids",
    "items.bias": "bias",
    "encoder.branch.": "temporal.",
    "encoder.norm.": "temporal.softmax.norm.",
    "encoder.log_temperature": "temporal.softmax.log_temperature",
    "repeat_bias": "temporal.softmax.repeat_bias",
}


class FinishedRun(BaseModel):
    """What is kept with the weights of a finished run of a plan."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    fingerprint: str  # of the prepared data
    record: TrainingRecord


@dataclass(frozen=True)
class Start:
    """Weights to start from, by M2Rec's names; how they were trained; and a short hash that tells them apart."""

    weights: dict[str, Tensor]
    record: TrainingRecord
    origin: str


def save_finished(path: Path, model: nn.Module, run: FinishedRun) -> None:
    """Keep the weights of a finished run. Raises OSError when the disk does not take them."""
    weights = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    with atomic_file(path) as temporary:
        save_file(weights, temporary, {"m2rec": run.model_dump_json()})


def load_start(path: Path, model: M2Rec, prepared: Prepared) -> Start:
    """What `path` gives `model`: a checkpoint's folder, or the file of a finished `mamba2` run.

    Raises CheckpointError where it is neither, or belongs to other items or another shape.
    """
    start = _of_run(path, model, prepared) if path.is_file() else _of_checkpoint(path, model, prepared)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    if {name: tensor.shape for name, tensor in start.weights.items()} != shapes:
        raise CheckpointError(f"The weights of {path} do not fit these settings; start from some of the same shape.")
    return start


def _of_checkpoint(path: Path, model: M2Rec, prepared: Prepared) -> Start:
    checkpoint = Checkpoint.load(path)
    if [item.item_id for item in checkpoint.items] != prepared.item_ids:
        raise CheckpointError(
            f"The checkpoint of {checkpoint.config.world} knows other items than {prepared.name}, or numbers them "
            "otherwise, so its weights are about other items; start from a checkpoint of the same data."
        )
    weights = {name: torch.tensor(array) for name, array in checkpoint.weights.items()}
    weights["text"] = model.text  # those of the texts as prepared
    layers = _further_layers(model, checkpoint.config.model.temporal_layers)
    return Start(weights | layers, checkpoint.config.training, checkpoint.config.sha256["model.safetensors"][:8])


def _of_run(path: Path, model: M2Rec, prepared: Prepared) -> Start:
    try:
        with safe_open(path, framework="pt") as file:
            run = FinishedRun.model_validate_json((file.metadata() or {}).get("m2rec", "{}"))
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 – not a dict
        origin = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(
            f"{path} is neither a checkpoint's folder nor the weights of a finished run ({error})."
        ) from error
    if run.kind != ALONE:
        raise CheckpointError(f"{path} is a {run.kind}; of the baselines only a {ALONE} can be started from.")
    if run.fingerprint != prepared.fingerprint:
        raise CheckpointError(
            f"{path} was trained on other data than {prepared.name}; start from a run of the same data."
        )
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights["project.weight"] *= TEXT_AT_FIRST
    weights["gate.feed.3.bias"][BRANCHES.index("temporal")] += TRUST_AT_FIRST
    given = {_renamed(name): tensor for name, tensor in found.items()}
    layers = 1 + max((int(match[1]) for name in given if (match := _LAYER.match(name))), default=0)
    further = _further_layers(model, layers)
    learned_alone = {name for name in weights if name.startswith(("ids", "bias", "temporal."))} - _NOT_IN_A_RUN
    missing = sorted(learned_alone - given.keys() - further.keys())
    if missing:
        raise CheckpointError(f"{path} is incomplete: it has no {missing[0]}; start from a finished {ALONE} run.")
    if not all(bool(tensor.isfinite().all()) for tensor in given.values()):
        raise CheckpointError(f"{path} holds weights that are not finite; start from a finished {ALONE} run.")
    return Start(weights | given | further, run.record, origin)


def _further_layers(model: M2Rec, known: int) -> dict[str, Tensor]:
    """The weights of the model's temporal layers from number `known` on, such that they add nothing."""
    further = {
        name: tensor.clone()
        for name, tensor in model.state_dict().items()
        if (found := _LAYER.match(name)) and int(found[1]) >= known
    }
    return {name: tensor * 0 if name.endswith("out_proj.weight") else tensor for name, tensor in further.items()}


def _renamed(name: str) -> str:
    for old, new in _NAMES.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    raise CheckpointError(f"The weights have a tensor {name} that the temporal branch does not know.")
