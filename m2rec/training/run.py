"""Train one model on one prepared data set: early stopping, resuming, and one or many devices through Accelerate."""

import copy
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor, nn

from m2rec.data.prepared import Prepared
from m2rec.data.windows import Windows
from m2rec.errors import CheckpointError, NotFiniteError
from m2rec.evaluation.protocol import Scorer, evaluate
from m2rec.training.average import moving_average
from m2rec.training.epoch import Epochs
from m2rec.training.identity import made_from, run_key
from m2rec.training.machine import device_name, git_revision, peak_memory_mib, reset_peak_memory
from m2rec.training.optimizer import make_optimizer
from m2rec.training.resume import EpochReport, Progress, load_progress, save_progress
from m2rec.training.settings import TrainingSettings
from m2rec.training.trained import Trained

log = logging.getLogger(__name__)


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
    lead, device = accelerator.is_main_process, accelerator.device
    here, revision = device_name(device), git_revision()
    reset_peak_memory(device)
    windows = Windows.of_training(prepared.sequences, prepared.split.train_end, max_length)
    model.to(device)
    optimizer = make_optimizer(model, settings)
    average = moving_average(model, settings.ema_decay) if settings.ema_decay else None
    validated = average.module if average else model
    progress = Progress(key=run_key(model, prepared, settings, max_length), made_from=made_from(model))
    best = _copy(model)

    def so_far(network: nn.Module) -> Trained:
        return Trained(network, progress, progress.trained_on or here, lead, revision)

    if state.exists() and not restart:
        progress, best = load_progress(state, progress, model, optimizer, average)
        log.info("Resuming after epoch %d of %d.", len(progress.epochs), settings.epochs)
        if lead and on_better and progress.epochs:
            found = copy.deepcopy(model)
            found.load_state_dict(best)
            on_better(so_far(found))
    epochs = Epochs(model, average, optimizer, windows, settings, max_length, accelerator)

    while not finish and len(progress.epochs) < settings.epochs and progress.stale < settings.patience:
        report = _next_epoch(epochs, cast(Scorer, validated), prepared, progress, max_length, show=show and lead)
        better = progress.add(report, here, peak_memory_mib(device))
        if better:
            best = _copy(validated)
        if lead:
            save_progress(state, progress, model, best, epochs.optimizer.optimizer, average)
            if better and on_better:
                on_better(so_far(validated))
            if on_epoch:
                on_epoch(report)
        accelerator.wait_for_everyone()

    if not progress.epochs:
        raise CheckpointError(f"There is no run to finish at {state}; train without --finish first.")
    model.load_state_dict(best)
    model.eval()
    return so_far(model)


def _next_epoch(
    epochs: Epochs, model: Scorer, prepared: Prepared, progress: Progress, max_length: int, *, show: bool
) -> EpochReport:
    """Train one epoch and measure `model`, its weights or their average, on validation.

    Raises NotFiniteError, which says what to do, when training diverges.
    """
    began = time.monotonic()
    epoch = len(progress.epochs) + 1
    try:
        loss = epochs.run(epoch, show=show)
        figures = evaluate(model, prepared, "validation", max_length).figures["unmasked"]
    except NotFiniteError as error:
        kept = " and add --restart, or add only --finish to save the best epoch before it" if progress.epochs else ""
        raise NotFiniteError(
            f"Training diverged in epoch {epoch}, of which nothing is saved: lower training.learning_rate (it is "
            f"{epochs.settings.learning_rate:g}){kept}."
        ) from error
    validation = {name: figures[name] for name in ("NDCG@10", "HR@10")}
    return EpochReport(epoch=epoch, loss=loss, validation=validation, seconds=time.monotonic() - began)


def _accelerator(settings: TrainingSettings, cpu: bool) -> Accelerator:
    on_gpu = torch.cuda.is_available() and not cpu
    low = settings.precision == "bf16" or (settings.precision == "auto" and on_gpu)
    # in ablations some parameters get no gradient, which DDP allows only with a static graph
    unused = DistributedDataParallelKwargs(static_graph=True)
    AcceleratorState._reset_state()  # an earlier run of this process may have had another precision
    return Accelerator(mixed_precision="bf16" if low else "no", cpu=cpu, kwargs_handlers=[unused])


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
