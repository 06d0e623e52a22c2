"""Train one model on one prepared data set: early stopping, resuming, and one or many devices through Accelerate."""

import copy
import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from m2rec.checkpoint import TrainingRecord
from m2rec.data.prepared import Prepared
from m2rec.data.windows import Windows
from m2rec.errors import CheckpointError, NotFiniteError
from m2rec.evaluation.protocol import Scorer, evaluate
from m2rec.training.average import moving_average
from m2rec.training.batches import epoch_batches, split_of_process
from m2rec.training.cuda_graphs import GraphedSteps
from m2rec.training.machine import device_name, git_revision, peak_memory_mib, reset_peak_memory
from m2rec.training.optimizer import make_optimizer
from m2rec.training.resume import EpochReport, Progress, load_progress, save_progress
from m2rec.training.schedule import lr_factor
from m2rec.training.settings import TrainingSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A model with its best weights so far, and how it was trained."""

    model: nn.Module
    progress: Progress
    device: str  # or devices, on which it was trained
    lead: bool  # whether this process is the one that writes
    revision: str  # of the code when the run began or resumed

    def record(self, settings: TrainingSettings, command: str, before: TrainingRecord | None = None) -> TrainingRecord:
        """How the weights were trained, as checkpoints and results keep it. `before` is the record of the weights that
        the run started from. The date is today's.
        """
        epochs, best_epoch = self.progress.epochs, self.progress.best_epoch
        return TrainingRecord(
            settings=settings.model_dump(),
            command=command,
            epochs=len(epochs),
            best_epoch=best_epoch,
            seconds=round(self.progress.seconds, 1),
            peak_memory_mib=round(self.progress.peak_memory_mib, 1),
            git_revision=self.revision,
            date=datetime.now(UTC).date().isoformat(),
            validation=epochs[best_epoch - 1].validation if epochs else None,
            before=before,
        )


def train(
    model: nn.Module,
    prepared: Prepared,
    settings: TrainingSettings,
    max_length: int,
    state: Path,
    *,
    cpu: bool = False,
    restart: bool = False,
    finish: bool = False,
    show: bool = True,
    on_epoch: Callable[[EpochReport], None] | None = None,
    on_better: Callable[[Trained], None] | None = None,
) -> Trained:
    """Train `model` until validation NDCG@10 stalls. It needs `forward(items, targets, branch_loss)` and `log_scores`.

    `state` is the file from which a killed run resumes; at most the current epoch is lost. With `finish` nothing more
    is trained and the best epoch so far is returned. Under `accelerate launch` every process calls this function; the
    gradients equal those of one process on the whole batch.

    On the lead process, after each epoch, `on_better` gets the model if this epoch is the best so far, then `on_epoch`
    gets the epoch's report. When a run resumes, `on_better` first gets the best model so far. Either may raise an
    exception to stop training.

    Raises CheckpointError when `state` belongs to another run, is damaged or cannot be written, and with `finish` when
    there is no finished epoch. Raises NotFiniteError when training diverges, before anything of that epoch is saved.
    """
    accelerator = _accelerator(settings, cpu)
    lead = accelerator.is_main_process
    device = accelerator.device
    here, revision = device_name(device), git_revision()
    reset_peak_memory(device)
    windows = Windows.of_training(prepared.sequences, prepared.split.train_end, max_length)
    model.to(device)
    optimizer = make_optimizer(model, settings)
    average = moving_average(model, settings.ema_decay) if settings.ema_decay else None
    validated = average.module if average else model
    progress = Progress(key=_run_key(model, prepared, settings, max_length), made_from=_made_from(model))
    best = _copy(model)
    if state.exists() and not restart:
        progress, best = load_progress(state, progress, model, optimizer, average)
        log.info("Resuming after epoch %d of %d.", len(progress.epochs), settings.epochs)
        if lead and on_better and progress.epochs:
            found = copy.deepcopy(model)
            found.load_state_dict(best)
            on_better(Trained(found, progress, _devices(progress, here), lead, revision))
    wrapped = accelerator.prepare_model(model)
    optimizer = accelerator.prepare_optimizer(optimizer)
    graphs = None
    if device.type == "cuda" and accelerator.num_processes == 1:
        forward = partial(wrapped, branch_loss=settings.branch_loss)
        graphs = GraphedSteps(forward, model, min(settings.batch_size, len(windows)), max_length)

    while not finish and len(progress.epochs) < settings.epochs and progress.stale < settings.patience:
        began = time.monotonic()
        epoch = len(progress.epochs) + 1
        try:
            loss = _run_epoch(
                wrapped, model, average, optimizer, windows, settings, epoch, accelerator, graphs, show and lead
            )
            figures = evaluate(cast(Scorer, validated), prepared, "validation", max_length).figures["unmasked"]
        except NotFiniteError as error:
            kept = (
                " and add --restart, or add only --finish to save the best epoch before it" if progress.epochs else ""
            )
            raise NotFiniteError(
                f"Training diverged in epoch {epoch}, of which nothing is saved: lower training.learning_rate (it is "
                f"{settings.learning_rate:g}){kept}."
            ) from error
        report = EpochReport(
            epoch=epoch,
            loss=loss,
            validation={name: figures[name] for name in ("NDCG@10", "HR@10")},
            seconds=time.monotonic() - began,
        )
        progress.epochs.append(report)
        progress.seconds += report.seconds
        progress.peak_memory_mib = max(progress.peak_memory_mib, peak_memory_mib(device))
        if here not in progress.devices[-1:]:
            progress.devices.append(here)
        better = figures["NDCG@10"] > progress.best_score
        if better:
            progress.best_epoch, progress.best_score = epoch, figures["NDCG@10"]
            best = _copy(validated)
        if lead:
            save_progress(state, progress, model, best, optimizer.optimizer, average)
            if better and on_better:
                on_better(Trained(validated, progress, _devices(progress, here), lead, revision))
            if on_epoch:
                on_epoch(report)
        accelerator.wait_for_everyone()

    if not progress.epochs:
        raise CheckpointError(f"There is no run to finish at {state}; train without --finish first.")
    model.load_state_dict(best)
    model.eval()
    return Trained(model, progress, _devices(progress, here), lead, revision)


def _run_epoch(
    wrapped: nn.Module,
    model: nn.Module,
    average: AveragedModel | None,
    optimizer: torch.optim.Optimizer,
    windows: Windows,
    settings: TrainingSettings,
    epoch: int,
    accelerator: Accelerator,
    graphs: GraphedSteps | None,
    show: bool,
) -> float:
    """One pass over every window. → mean loss per target. Raises NotFiniteError if it or a weight is not finite."""
    torch.manual_seed(settings.seed * 100_003 + epoch)  # one seed per epoch: a restart repeats it exactly
    wrapped.train()
    batches = epoch_batches(windows.sizes, settings.batch_size, settings.seed, epoch)
    device = accelerator.device
    total = torch.zeros((), device=device)
    count = 0
    with _bar(show) as bar:
        task = bar.add_task(f"epoch {epoch}", total=len(batches))
        for index, batch in enumerate(batches):
            factor = lr_factor((epoch - 1) * len(batches) + index, settings.epochs * len(batches), settings)
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor
            targets_in_batch = int(windows.sizes[batch].sum())
            mine = split_of_process(batch, accelerator.process_index, accelerator.num_processes)
            # a process without a window takes one with weight 0: the others wait for its gradients
            chosen = mine if len(mine) else batch[:1]
            longest = windows.sizes[chosen].max()
            items, targets = (part[:, :longest] for part in windows.batch(chosen))
            weight = int(windows.sizes[mine].sum()) / targets_in_batch
            if graphs:
                loss = graphs(items, targets)
            else:
                loss = wrapped(*(torch.from_numpy(part).to(device) for part in (items, targets)), settings.branch_loss)
                # gradients are averaged over the processes; this makes the average the whole batch's mean over targets
                accelerator.backward(loss * weight * accelerator.num_processes)
            accelerator.clip_grad_norm_(wrapped.parameters(), settings.clip_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if average:
                average.update_parameters(model)
            total += loss.detach() * weight * targets_in_batch
            count += targets_in_batch
            bar.advance(task)
    wrapped.eval()
    mean = float(accelerator.reduce(total, "sum")) / count
    # once an epoch: a check at every step would make a GPU wait
    if not (math.isfinite(mean) and all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values())):
        raise NotFiniteError("The loss or a weight is not a finite number.")
    return mean


def _devices(progress: Progress, here: str) -> str:
    """Where the run was trained, which is not only on this device if it was resumed on another machine."""
    return ", then ".join(progress.devices) or here


def _accelerator(settings: TrainingSettings, cpu: bool) -> Accelerator:
    on_gpu = torch.cuda.is_available() and not cpu
    low = settings.precision == "bf16" or (settings.precision == "auto" and on_gpu)
    # in ablations some parameters get no gradient, which DDP allows only with a static graph
    unused = DistributedDataParallelKwargs(static_graph=True)
    AcceleratorState._reset_state()  # an earlier run of this process may have had another precision
    return Accelerator(mixed_precision="bf16" if low else "no", cpu=cpu, kwargs_handlers=[unused])


def _run_key(model: nn.Module, prepared: Prepared, settings: TrainingSettings, max_length: int) -> str:
    """A hash of what must be the same for a run to resume: data, training settings and the shape of every weight.

    `_made_from` covers the rest. It is kept apart so that the keys of unfinished older runs stay valid.
    """
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    parts = [type(model).__name__, shapes, prepared.fingerprint, settings.model_dump(), max_length]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _made_from(model: nn.Module) -> str:
    """A hash of the model's settings and its frozen tensors: dropout, time scales or text vectors can change without
    changing the shape of any weight.
    """
    settings = getattr(model, "config", None)
    digest = hashlib.sha256(settings.model_dump_json().encode() if settings else b"")
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    for name, tensor in sorted(model.state_dict().items()):
        if name not in trained:
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


def _bar(show: bool) -> Bar:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Bar(*columns, disable=not show, transient=True)
