"""The output at one position, and the state that the next item needs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from m2rec.inference.evidence import Recurrence
from m2rec.inference.frequency.periodic import PeriodicState
from m2rec.inference.frequency.spectral import SpectralState
from m2rec.inference.temporal import TemporalState


@dataclass(frozen=True)
class Position:
    """The gate and the outputs of the branches at one position.

    `log_gate` (M,), −inf where a branch is switched off; `vectors` (M, d), the branches' outputs; `gains` (b,), the
    frequency branch's gain of each band; `recurrence`, what may recur, with `frequency = "periodic"`; `themes` (K,),
    their weights, with `semantic = "themes"`.
    """

    log_gate: np.ndarray
    vectors: np.ndarray
    gains: np.ndarray
    recurrence: Recurrence | None
    themes: np.ndarray | None

    @property
    def gate(self) -> np.ndarray:
        """g, (M,), summing to 1."""
        result: np.ndarray = np.exp(self.log_gate)
        return result


@dataclass(frozen=True)
class State:
    """Everything that one more item needs; its size depends neither on the length of the history nor on muted bands."""

    temporal: TemporalState
    frequency: PeriodicState | SpectralState
    semantic: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes, about."""
        parts: list[Any] = [self.semantic, *vars(self.frequency).values()]
        for layer in self.temporal:
            parts += [layer.conv, layer.scan]
        return sum(part.nbytes for part in parts if isinstance(part, np.ndarray))


@dataclass(frozen=True)
class Reading:
    """A history that was read: the gate after each item (L, M), the newest position, and the state after it."""

    gates: np.ndarray
    position: Position
    state: State
