"""One epoch of training: a step for each batch of windows, on one or many devices."""

import math
from functools import partial

import numpy as np
import torch
from accelerate import Accelerator
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from m2rec.data.windows import Windows
from m2rec.errors import NotFiniteError
from m2rec.training.batches import epoch_batches, split_of_process
from m2rec.training.cuda_graphs import GraphedSteps
from m2rec.training.schedule import lr_factor
from m2rec.training.settings import TrainingSettings


class Epochs:
    """The epochs of one run. Which windows come when depends on the seed and the epoch alone."""

    def __init__(
        self,
        model: nn.Module,
        average: AveragedModel | None,
        optimizer: torch.optim.Optimizer,
        windows: Windows,
        settings: TrainingSettings,
        max_length: int,
        accelerator: Accelerator,
    ) -> None:
        """`model`, `optimizer` and `average` must be as they are before the first of these epochs: a resumed run's are
        loaded by then.
        """
        self.model, self.average, self.windows, self.settings = model, average, windows, settings
        self.accelerator, self.device = accelerator, accelerator.device
        self.wrapped = accelerator.prepare_model(model)
        self.optimizer = accelerator.prepare_optimizer(optimizer)
        self.graphs: GraphedSteps | None = None
        if self.device.type == "cuda" and accelerator.num_processes == 1:
            forward = partial(self.wrapped, branch_loss=settings.branch_loss)
            self.graphs = GraphedSteps(forward, model, min(settings.batch_size, len(windows)), max_length)

    def run(self, epoch: int, *, show: bool) -> float:
        """One pass over every window. → mean loss per target. Raises NotFiniteError if it or a weight is not finite."""
        settings = self.settings
        torch.manual_seed(settings.seed * 100_003 + epoch)  # one seed per epoch: a restart repeats it exactly
        self.wrapped.train()
        batches = epoch_batches(self.windows.sizes, settings.batch_size, settings.seed, epoch)
        total = torch.zeros((), device=self.device)
        count = 0
        with _bar(show) as bar:
            task = bar.add_task(f"epoch {epoch}", total=len(batches))
            for index, batch in enumerate(batches):
                self._set_rates((epoch - 1) * len(batches) + index, settings.epochs * len(batches))
                total += self._step(batch)
                count += int(self.windows.sizes[batch].sum())
                bar.advance(task)
        self.wrapped.eval()
        mean = float(self.accelerator.reduce(total, "sum")) / count
        # once an epoch: a check at every step would make a GPU wait
        finite = all(bool(tensor.isfinite().all()) for tensor in self.model.state_dict().values())
        if not (math.isfinite(mean) and finite):
            raise NotFiniteError("The loss or a weight is not a finite number.")
        return mean

    def _set_rates(self, step: int, steps: int) -> None:
        factor = lr_factor(step, steps, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

    def _step(self, batch: np.ndarray) -> Tensor:
        """One step with these windows, of which each process takes its part. → the sum of the part's losses, ()."""
        targets_in_batch = int(self.windows.sizes[batch].sum())
        mine = split_of_process(batch, self.accelerator.process_index, self.accelerator.num_processes)
        # a process without a window takes one with weight 0: the others wait for its gradients
        chosen = mine if len(mine) else batch[:1]
        longest = self.windows.sizes[chosen].max()
        items, targets = (part[:, :longest] for part in self.windows.batch(chosen))
        weight = int(self.windows.sizes[mine].sum()) / targets_in_batch
        if self.graphs:
            loss = self.graphs(items, targets)
        else:
            given = (torch.from_numpy(part).to(self.device) for part in (items, targets))
            loss = self.wrapped(*given, self.settings.branch_loss)
            # gradients are averaged over the processes; this makes the average the whole batch's mean over targets
            self.accelerator.backward(loss * weight * self.accelerator.num_processes)
        self.accelerator.clip_grad_norm_(self.wrapped.parameters(), self.settings.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.average:
            self.average.update_parameters(self.model)
        return loss.detach() * weight * targets_in_batch


def _bar(show: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, disable=not show, transient=True)
