"""The state from which a killed run resumes: weights, their average, best weights, optimiser moments and progress.

It is one file, replaced atomically. Each epoch is seeded by (seed, epoch), so no random state is saved: an interrupted
epoch is run again from its start.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from m2rec.atomic import atomic_file
from m2rec.errors import CheckpointError


class EpochReport(BaseModel):
    """One finished epoch."""

    model_config = ConfigDict(extra="forbid")

    epoch: int  # from 1
    loss: float
    validation: dict[str, float]  # NDCG@10 and HR@10, seen items left in
    seconds: float


class Progress(BaseModel):
    """The epochs of a run so far.

    `key` is a hash of its training settings, data and weight shapes; `made_from` is a hash of the model's settings and
    its frozen tensors, such as the text vectors.
    """

    model_config = ConfigDict(extra="forbid")

    key: str
    made_from: str | None = None  # None in the files of older runs
    epochs: list[EpochReport] = []
    best_epoch: int = 0
    best_score: float = -1.0
    seconds: float = 0.0  # of all epochs
    peak_memory_mib: float = 0.0
    devices: list[str] = []  # on which the epochs ran, in order; empty in the files of older runs

    def add(self, report: EpochReport, device: str, peak_memory_mib: float) -> bool:
        """Count an epoch that was finished on `device`. → whether it is the best so far, by NDCG@10 on validation."""
        self.epochs.append(report)
        self.seconds += report.seconds
        self.peak_memory_mib = max(self.peak_memory_mib, peak_memory_mib)
        if device not in self.devices[-1:]:
            self.devices.append(device)
        reached = report.validation["NDCG@10"]
        better = reached > self.best_score
        if better:
            self.best_epoch, self.best_score = report.epoch, reached
        return better

    @property
    def trained_on(self) -> str:
        """The device, or several if the run was resumed on another machine; empty in the files of older runs."""
        return ", then ".join(self.devices)

    @property
    def stale(self) -> int:
        """Epochs since the best one."""
        return len(self.epochs) - self.best_epoch


def save_progress(
    path: Path,
    progress: Progress,
    model: nn.Module,
    best: dict[str, Tensor],
    optimizer: Optimizer,
    average: AveragedModel | None = None,
) -> None:
    """Replace the file at `path`, or leave it as it was and raise CheckpointError when it cannot be written."""
    tensors = {f"model.{name}": tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    tensors |= {f"best.{name}": tensor.cpu().contiguous() for name, tensor in best.items()}
    if average:
        tensors |= {f"average.{name}": tensor.detach().cpu() for name, tensor in average.state_dict().items()}
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    for parameter, moments in optimizer.state.items():
        tensors |= {f"optimizer.{names[parameter]}/{key}": value.cpu() for key, value in moments.items()}
    # safetensors refuses two tensors that share storage, so every tensor is copied
    own = {name: tensor.clone() for name, tensor in tensors.items()}
    try:
        with atomic_file(path) as temporary:
            save_file(own, temporary, {"m2rec": progress.model_dump_json()})
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"The training state could not be saved to {path} ({error}); free some space and run the command "
            "again: it resumes after the last saved epoch."
        ) from error


def load_progress(
    path: Path, begun: Progress, model: nn.Module, optimizer: Optimizer, average: AveragedModel | None = None
) -> tuple[Progress, dict[str, Tensor]]:
    """Load a saved run into `model`, `optimizer` and `average`. → its progress and best weights.

    `begun` is the progress of this run before its first epoch. Raises CheckpointError when the file is damaged or
    belongs to a run with other settings, data or model.
    """
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress.model_validate(json.loads(file.metadata()["m2rec"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 – not a dict, and not iterable
    except Exception as error:
        raise CheckpointError(f"{path} is not a readable training state ({error}); delete it to start over.") from error
    if progress.key != begun.key or progress.made_from not in (None, begun.made_from):
        raise CheckpointError(
            f"{path} belongs to a run with other settings, texts or data; use --restart to start over."
        )
    model.load_state_dict(_part(tensors, "model."))
    if average:
        average.load_state_dict(_part(tensors, "average."))
    parameters = dict(model.named_parameters())
    for name, value in _part(tensors, "optimizer.").items():
        parameter_name, moment = name.rsplit("/", 1)
        parameter = parameters[parameter_name]
        on_host = moment == "step" and not optimizer.defaults.get("fused")  # a fused step counts on the device
        optimizer.state[parameter][moment] = value if on_host else value.to(parameter.device)
    return progress, _part(tensors, "best.")


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
