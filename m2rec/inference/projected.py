"""What a layer of the temporal branch makes of each position alone: all of it, or the part that is asked for.

`m2rec.inference.temporal` has the letters D, N and H.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from m2rec.inference.arrays import rms_normed, silu, softplus


class Projected(NamedTuple):
    """The gate σ-gated, (n, D); what the convolution reads, x B C, (n, D + 2N); and the step size Δ, (n, H)."""

    gate: np.ndarray
    mixed: np.ndarray
    dt: np.ndarray

    def of(self, rows: np.ndarray) -> "Projected":
        """Those of some rows."""
        return Projected(self.gate[rows], self.mixed[rows], self.dt[rows])


class Projection:
    """The layer's first matrix, whose columns are D of the gate, D + 2N that are convolved, and H of the step size."""

    def __init__(self, into: np.ndarray, dt_bias: np.ndarray, inner: int) -> None:
        """into (d, 2D + 2N + H), dt_bias (H,)."""
        self.into, self.dt_bias, self.inner, self.heads = into, dt_bias, inner, len(dt_bias)

    def all(self, x: np.ndarray) -> Projected:
        """(n, d) → (n, …)."""
        projected = rms_normed(x) @ self.into
        gate, dt = silu(projected[:, : self.inner]), softplus(projected[:, -self.heads :] + self.dt_bias)
        return Projected(gate, projected[:, self.inner : -self.heads], dt)


class Positions(Protocol):
    """The positions of a history, oldest first, for the newest of which alone a layer's output is wanted."""

    def __len__(self) -> int:
        """How many there are."""

    def gate(self) -> np.ndarray:
        """Of the newest, (D,)."""

    def mixed(self, part: slice, channels: slice) -> np.ndarray:
        """Some channels of what the convolution reads, (n', channels)."""

    def dt(self, part: slice) -> np.ndarray:
        """(n', H)."""


@dataclass(frozen=True)
class LookedUp:
    """Positions whose items' projections are there already: rows (n,) of `made`."""

    made: Projected
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def gate(self) -> np.ndarray:
        """As in `Positions`."""
        return self.made.gate[self.rows[-1]]

    def mixed(self, part: slice, channels: slice) -> np.ndarray:
        """As in `Positions`."""
        return self.made.mixed[:, channels][self.rows[part]]

    def dt(self, part: slice) -> np.ndarray:
        """As in `Positions`."""
        return self.made.dt[self.rows[part]]


class WorkedOut:
    """Positions that a layer below has made: only what is asked for is projected, a third of it where heads forget."""

    def __init__(self, projection: Projection, x: np.ndarray) -> None:
        """x (n, d), oldest first."""
        self._by, self._normed = projection, rms_normed(x)

    def __len__(self) -> int:
        return len(self._normed)

    def gate(self) -> np.ndarray:
        """As in `Positions`."""
        return silu(self._normed[-1] @ self._by.into[:, : self._by.inner])

    def mixed(self, part: slice, channels: slice) -> np.ndarray:
        """As in `Positions`."""
        begin = self._by.inner
        result: np.ndarray = self._normed[part] @ self._by.into[:, begin + channels.start : begin + channels.stop]
        return result

    def dt(self, part: slice) -> np.ndarray:
        """As in `Positions`."""
        return softplus(self._normed[part] @ self._by.into[:, -self._by.heads :] + self._by.dt_bias)
