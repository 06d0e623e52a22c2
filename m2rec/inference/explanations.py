"""How well one branch explains the choices of a history, which a branch after it may discount."""

from typing import NamedTuple

import numpy as np


class Explanations(NamedTuple):
    """Log-odds (n,) that each choice followed from the one before it, and that it was due by a rhythm."""

    transition: np.ndarray
    recurrence: np.ndarray


def unexplained(count: int) -> Explanations:
    """Where no branch explains any of `count` choices: log-odds −∞."""
    nothing = np.full(count, -np.inf, dtype=np.float32)
    return Explanations(nothing, nothing)
