"""Loss and gradients of a training step as CUDA graphs.

A step starts a thousand and more small GPU kernels, and starting them one by one takes a CPU many times longer than the
GPU needs to run them. A CUDA graph is recorded once and starts all of them together. Its shapes are fixed, so each
batch is padded: to the full number of windows, and to one of a few lengths, each of which has a graph of its own.

The gradients equal those of a step without a graph up to rounding, but dropout draws other random numbers.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from m2rec.model.fixed_shapes import fixed_shapes

log = logging.getLogger(__name__)

LENGTHS = 5  # graphs at most
WARM_UPS = 2  # steps before recording, in which kernels are chosen and compiled

Forward = Callable[[Tensor, Tensor], Tensor]  # items, targets (B, L) → the loss, a scalar


@dataclass
class _Recorded:
    graph: torch.cuda.CUDAGraph
    items: Tensor  # (B, L), read by the graph
    targets: Tensor
    loss: Tensor  # (), written by the graph, as are the gradients
    gradients: list[Tensor | None]  # of each parameter


def padded(part: np.ndarray, rows: int, length: int) -> np.ndarray:
    """A batch (b, l), b ≤ rows, cut or padded with 0 to (rows, length)."""
    full = np.zeros((rows, length), dtype=part.dtype)
    shown = part[:, :length]
    full[: len(shown), : shown.shape[1]] = shown
    return full


def padded_length(length: int, longest: int) -> int:
    """The smallest of at most LENGTHS lengths up to `longest` that is no shorter than `length`."""
    step = -(-longest // LENGTHS)
    return min(-(-length // step) * step, longest)


class GraphedSteps:
    """Computes the loss of a batch, and sets the gradients of all parameters."""

    def __init__(self, forward: Forward, model: nn.Module, batch_size: int, max_length: int) -> None:
        """`forward` must compute the loss with `model`'s parameters, which may later change in place only."""
        self.forward = forward
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.batch_size, self.max_length = batch_size, max_length
        self.device = self.parameters[0].device
        self.pool = torch.cuda.graph_pool_handle()  # one graph runs at a time, so they share memory
        self._recorded: dict[int, _Recorded] = {}
        self._works = True  # until an operation cannot be recorded

    @property
    def recorded(self) -> int:
        """The number of graphs so far; 0 where steps cannot be recorded."""
        return len(self._recorded)

    def __call__(self, items: np.ndarray, targets: np.ndarray) -> Tensor:
        """items, targets (b, l) with at least one target → the loss, a scalar that the next call may overwrite."""
        length = padded_length(items.shape[1], self.max_length)
        batch = [torch.from_numpy(padded(part, self.batch_size, length)) for part in (items, targets)]
        if self._works and length not in self._recorded:
            try:
                self._recorded[length] = self._record(*(part.to(self.device) for part in batch))
            except RuntimeError as error:  # a graph that fails must not cost a run its result
                log.warning("Steps are not recorded as CUDA graphs, and take longer: %s", error)
                self._works = False
                self._recorded.clear()
        if not self._works:
            return self._plain(items, targets)
        found = self._recorded[length]
        found.items.copy_(batch[0])
        found.targets.copy_(batch[1])
        found.graph.replay()
        for parameter, gradient in zip(self.parameters, found.gradients, strict=True):
            parameter.grad = gradient
        return found.loss

    def _plain(self, items: np.ndarray, targets: np.ndarray) -> Tensor:
        self._clear()
        loss = self.forward(*(torch.from_numpy(part).to(self.device) for part in (items, targets)))
        loss.backward()
        return loss.detach()

    def _record(self, items: Tensor, targets: Tensor) -> _Recorded:
        drawn = torch.cuda.get_rng_state(self.device)  # recording must not change what a step draws
        stream = torch.cuda.Stream(self.device)
        stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(stream), fixed_shapes():
            for _ in range(WARM_UPS):
                self._clear()
                self.forward(items, targets).backward()
        torch.cuda.current_stream(self.device).wait_stream(stream)
        self._clear()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool), fixed_shapes():
            loss = self.forward(items, targets)
            loss.backward()
        torch.cuda.set_rng_state(drawn, self.device)
        return _Recorded(graph, items, targets, loss.detach(), [parameter.grad for parameter in self.parameters])

    def _clear(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None
