"""How well one branch explains the choices of a history, which a branch after it may discount."""

from typing import NamedTuple

import numpy as np


class Explanations(NamedTuple):
    """Log-odds (n,) that each choice followed from the one before it, and that it was due by a rhythm; of B histories
    (B, n).
    """

    transition: np.ndarray
    recurrence: np.ndarray


def unexplained(shape: int | tuple[int, ...]) -> Explanations:
    """Where no branch explains any of so many choices: log-odds −∞."""
    nothing = np.full(shape, -np.inf, dtype=np.float32)
    return Explanations(nothing, nothing)
