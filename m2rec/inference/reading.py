"""The output at one position, and the state that the next item needs."""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from typing import Any

import numpy as np

from m2rec.branches import BranchName
from m2rec.inference.branch import BranchOutput


@dataclass(frozen=True)
class Position:
    """The gate and the outputs of the branches at one position: `log_gate` (M,), −inf where a branch is switched off,
    and `outputs`, each over (1,), in the order of `BRANCHES`.
    """

    log_gate: np.ndarray
    outputs: Mapping[BranchName, BranchOutput]

    @property
    def gate(self) -> np.ndarray:
        """g, (M,), summing to 1."""
        result: np.ndarray = np.exp(self.log_gate)
        return result

    @property
    def vectors(self) -> np.ndarray:
        """The branches' outputs: (M, d)."""
        return np.concatenate([out.vectors for out in self.outputs.values()])

    @property
    def gains(self) -> np.ndarray:
        """The frequency branch's gain of each band: (b,)."""
        result: np.ndarray = self.outputs["frequency"].detail["gains"][0]
        return result

    @property
    def themes(self) -> np.ndarray | None:
        """The weight of each theme, (K,), where the semantic branch has themes."""
        themes = self.outputs["semantic"].detail.get("themes")
        return None if themes is None else themes[0]

    @property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes, about."""
        outputs = [(out.vectors, out.evidence, *out.detail.values()) for out in self.outputs.values()]
        return _bytes(outputs) + self.log_gate.nbytes


@dataclass(frozen=True)
class State:
    """All that one more item needs, of each branch by its key; its size depends neither on the length of the history
    nor on muted bands.
    """

    branches: Mapping[BranchName, Any]

    @cached_property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes, about."""
        return _bytes(self.branches)


@dataclass(frozen=True)
class Reading:
    """A history that was read: the gate after each item (L, M), the newest position, and the state after it."""

    gates: np.ndarray
    position: Position
    state: State


def _bytes(part: Any) -> int:
    """Of all arrays in dictionaries, sequences and dataclasses."""
    if isinstance(part, np.ndarray):
        return part.nbytes
    if isinstance(part, tuple | list):
        return sum(map(_bytes, part))
    if isinstance(part, dict) or is_dataclass(part):
        return sum(map(_bytes, (part if isinstance(part, dict) else vars(part)).values()))
    return 0
