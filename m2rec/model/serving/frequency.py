"""`FrequencyBranch`, the filter over item vectors, for one history at a time.

Glossary
    R(j)      decayed autocorrelation of the identities at lag j
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from m2rec.model.frequency.spectral import EPSILON, FrequencyBranch
from m2rec.model.items import ItemTable
from m2rec.model.serving.arrays import HORIZON, gelu, weights_of
from m2rec.model.serving.rhythm import Rhythm

ROWS = 32  # positions whose products with those before them are held as one block


@dataclass(frozen=True)
class FilterState:
    """What the branch carries from item to item, beside the newest items."""

    predicted: np.ndarray  # (b, q), what each band's output was before the newest item
    record: np.ndarray  # (b,), decayed sum of agreements
    weight: float  # decayed count


class ServedFrequency:
    """`FrequencyBranch`."""

    def __init__(self, branch: FrequencyBranch, table: ItemTable) -> None:
        self.taps, self.adaptive = branch.taps, branch.adaptive
        kernels = branch.kernels()
        self.reading = weights_of(kernels.flip(-1))  # (b, W), newest last
        self.identities = weights_of(branch._identity(table.unit))  # (V + 1, q)
        self.identities[0] = 0  # nothing stands before a history
        self.vectors = table.unit.numpy()
        self.forget = math.exp(branch.log_forget)
        self.reach = math.ceil(-HORIZON / float(branch.log_forget))
        ages = torch.arange(self.reach + ROWS - 1, -1, -1)  # the newest last
        self.fading = weights_of((ages * branch.log_forget).exp())
        energy = kernels.square().sum(-1) + EPSILON  # of an incoherent history, (b,)
        self.energy, self.strength = weights_of(energy), weights_of(energy.sqrt())
        self.read, self.read_bias = weights_of(branch.gain_in.transpose(1, 2)), weights_of(branch.gain_in_bias)
        self.decide, self.decide_bias = weights_of(branch.gain_out), weights_of(branch.gain_out_bias)
        self.out = weights_of(branch.out.weight)

    def start(self) -> FilterState:
        """The state before the first item."""
        bands, width = len(self.reading), self.identities.shape[1]
        blank = np.zeros(bands, dtype=np.float32)
        return FilterState(np.zeros((bands, width), dtype=np.float32), blank, 0.0)

    def last(self, items: np.ndarray, keep: np.ndarray | None) -> Rhythm:
        """items (L,) → over ()."""
        counted = -(-min(len(items), self.reach) // ROWS) * ROWS  # whole blocks; what is too old or never was weighs 0
        fading = self.fading[-counted:].copy()
        fading[: max(0, counted - len(items))] = 0
        tail = np.concatenate([np.zeros(max(0, counted + self.taps - len(items)), dtype=np.int64), items])
        tail = tail[-counted - self.taps :]
        q = self.identities[tail]  # (W + counted, q)
        record = self.reading @ self._autocorrelation(q, fading) / fading.sum()
        return self._finish(self.reading @ q[-self.taps :], record, tail[-self.taps :], keep)

    def step(self, tail: np.ndarray, state: FilterState, keep: np.ndarray | None) -> tuple[Rhythm, FilterState]:
        """The newest items → over (), and the new state."""
        tail = tail[-self.taps :]
        q = self.identities[tail]
        record = state.record * self.forget + state.predicted @ q[-1]
        weight = state.weight * self.forget + 1
        filtered = self.reading @ q
        return self._finish(filtered, record / weight, tail, keep), FilterState(filtered, record, weight)

    def _autocorrelation(self, q: np.ndarray, fading: np.ndarray) -> np.ndarray:
        """Σ_τ w_τ ⟨q_{τ−j}, q_τ⟩ for lags j = W … 1. q (W + n, q), w (n,) of its newest n → (W,).

        Block by block: all products of a few positions with those up to W before them, then a sum along the diagonals.
        """
        blocks, reach, width = len(fading) // ROWS, self.taps + ROWS, q.shape[1]
        later = torch.from_numpy(q[self.taps :] * fading[:, None]).view(blocks, ROWS, width)
        earlier = torch.from_numpy(q).as_strided((blocks, reach, width), (ROWS * width, width, 1))
        products = later @ earlier.transpose(1, 2)  # (blocks, ROWS, W + ROWS)
        return products.as_strided((blocks, ROWS, self.taps), (ROWS * reach, reach + 1, 1)).sum((0, 1)).numpy()

    def _finish(self, filtered: np.ndarray, record: np.ndarray, tail: np.ndarray, keep: np.ndarray | None) -> Rhythm:
        """F (b, q), record (b,), tail (W,) → over ()."""
        energy = (filtered * filtered).sum(1)
        features = np.array([np.log1p((energy + EPSILON) / self.energy), record / self.strength])  # (f, b)
        if not self.adaptive:
            features[:] = 0
        hidden = gelu((self.read @ features.T[..., None])[..., 0] + self.read_bias)  # (b, 16)
        gains = np.logaddexp(0, (hidden * self.decide).sum(1) + self.decide_bias)
        if keep is not None:
            gains = gains * keep
        y = (gains @ self.reading) @ self.vectors[tail]
        strength = np.array([math.log1p(math.sqrt(y @ y))], dtype=np.float32)
        return Rhythm(self.out @ y, gains, np.concatenate([gains, features[0], strength]))
