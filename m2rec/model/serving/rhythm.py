"""What either frequency branch says at one position."""

from typing import NamedTuple

import numpy as np


class Rhythm(NamedTuple):
    """`FrequencyOut` at one position; `due` is items (X,) and their scores (X,), `explained` how well what was read was
    called for (L,) and due (L,).
    """

    y: np.ndarray  # (d,)
    gains: np.ndarray  # (b,)
    evidence: np.ndarray  # (e,)
    due: tuple[np.ndarray, np.ndarray] | None = None
    explained: tuple[np.ndarray, np.ndarray] | None = None


def unexplained(count: int) -> tuple[np.ndarray, np.ndarray]:
    """As `m2rec/model/explanations.py` has it, of so many items."""
    nothing = np.full(count, -np.inf, dtype=np.float32)
    return nothing, nothing
