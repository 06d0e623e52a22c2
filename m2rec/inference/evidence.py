"""The outputs of the branches at every position that was read, and at the newest."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Explanations(NamedTuple):
    """Log-odds (n,) that each choice followed from the one before it, and that it was due by a rhythm."""

    transition: np.ndarray
    recurrence: np.ndarray


def unexplained(count: int) -> Explanations:
    """The explanations of `count` choices by a frequency branch that has none: log-odds −∞."""
    nothing = np.full(count, -np.inf, dtype=np.float32)
    return Explanations(nothing, nothing)


class Recurrence(NamedTuple):
    """The items (X,) that may recur next, and the log-odds (X,) of each against an item that was never chosen."""

    items: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class FrequencyRead:
    """Output of a frequency branch at n positions: vectors (n, d), evidence for the gate (n, e); of the newest alone
    the bands' gains (b,) and what may recur; and how well each choice was explained before it was made.
    """

    vectors: np.ndarray
    evidence: np.ndarray
    gains: np.ndarray
    recurrence: Recurrence | None
    explanations: Explanations


@dataclass(frozen=True)
class SemanticRead:
    """Output of a semantic branch at n positions: vectors (n, d), and of the newest alone the weights of themes."""

    vectors: np.ndarray
    themes: np.ndarray | None = None  # (K,)
