"""`m2rec.model.frequency.spectral.SpectralBranch` for one history: an adaptive filter over item vectors.

Glossary (otherwise as in the branch)
    q       identities of the items (…, q)          F   their filtered values (…, b, q)
    record decayed mean of how well each band's output agreed with the item after it
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from m2rec.inference.arrays import HORIZON, Shapes, Weights, below, decay_matrix, gelu, softplus, under
from m2rec.inference.branch import BranchInput, BranchOutput, SoftmaxBranch
from m2rec.inference.frequency.filters import impulse_response, low_pass
from m2rec.inference.items import ItemArrays
from m2rec.inference.softmax import SoftmaxHead
from m2rec.model.config import ModelConfig
from m2rec.model.constants import FILTER_EPSILON

BLOCK = 128  # positions that are filtered by one product
ROWS = 32  # positions whose products with those before them are one block of the autocorrelation
GAIN_INPUTS, GAIN_HIDDEN = 2, 16  # of what sets the gain of each band


@dataclass(frozen=True)
class SpectralState:
    """The newest items, newest last, W of them at most; what each band's output was (b, q); decayed sum of agreements
    (b,) and decayed count.
    """

    items: np.ndarray
    filtered: np.ndarray
    agreement: np.ndarray
    weight: float


class Spectral(SoftmaxBranch):
    """Items in, their filtered vectors out (`m2rec.inference.branch.Branch`). `detail` has the bands' `gains` (b,)."""

    normed = False

    identities: np.ndarray  # (V + 1, q)
    unit: np.ndarray

    @staticmethod
    def evidence_width(config: ModelConfig) -> int:
        """As in `Branch`."""
        return 2 * _bands(config) + 1

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """As in `Branch`."""
        bands, d = _bands(config), config.width
        transfer: Shapes = {"transfer": (bands, config.filter_length + 1, 2)}
        return {
            **(transfer if config.filter == "learned" else {}),
            "gain_in": (bands, GAIN_INPUTS, GAIN_HIDDEN),
            "gain_in_bias": (bands, GAIN_HIDDEN),
            "gain_out": (bands, GAIN_HIDDEN),
            "gain_out_bias": (bands,),
            "identity.weight": (config.identity_width, d),
            "out.weight": (d, d),
            **under("softmax", SoftmaxHead.shapes(None)),
        }

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "frequency." in front."""
        self.head = SoftmaxHead(below(weights, "softmax"), items)
        plain = config.filter == "low-pass"
        self.taps, self.adaptive = config.filter_length, config.adaptive_filter and not plain
        if plain:
            self.kernels = low_pass(self.taps)[None]
            periods: tuple[float, ...] = (math.inf,)
            self.scales: tuple[float | None, ...] = (None,)  # at which a trend began to forget, in training
        else:
            self.kernels = impulse_response(weights["transfer"])
            self.kernels[:, 0] = 0
            periods = (*config.periods, *(math.inf for _ in config.trend_scales))
            self.scales = (*(None for _ in config.periods), *config.trend_scales)
        self.band_periods = np.array(periods, dtype=np.float64)
        self.reading = np.ascontiguousarray(self.kernels[:, ::-1])  # newest last
        self.narrow = np.ascontiguousarray(weights["identity.weight"].T)
        self.take(items)
        self.rate = 1 / config.agreement_scale
        self.forget = math.exp(-self.rate)
        self.reach = math.ceil(HORIZON * config.agreement_scale)
        self.fading = np.exp(-self.rate * np.arange(self.reach + ROWS - 1, -1, -1)).astype(np.float32)  # newest last
        self.energy = (self.kernels * self.kernels).sum(-1) + FILTER_EPSILON  # of an incoherent history
        self.strength = np.sqrt(self.energy)
        self.gain_in, self.gain_in_bias = weights["gain_in"], weights["gain_in_bias"]  # (b, 2, 16), (b, 16)
        self.gain_out, self.gain_out_bias = weights["gain_out"], weights["gain_out_bias"]
        self.out = np.ascontiguousarray(weights["out.weight"].T)

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """Unit vectors, and the narrower ones that are compared."""
        identity = items.unit @ self.narrow
        length = np.sqrt((identity * identity).sum(-1, keepdims=True))
        return {"identities": identity / (length + FILTER_EPSILON), "unit": items.unit}

    def start(self) -> SpectralState:
        """The state before the first item."""
        bands = len(self.kernels)
        return SpectralState(
            np.zeros(0, dtype=np.int64),
            np.zeros((bands, self.identities.shape[1]), dtype=np.float32),
            np.zeros(bands, dtype=np.float32),
            0.0,
        )

    def advance(self, given: BranchInput, state: SpectralState) -> tuple[BranchOutput, SpectralState]:
        """All positions of a continuation → over (n,), and the state after the last."""
        parts = []
        for at in range(0, len(given.items), BLOCK):
            out, state = self._block(given.items[at : at + BLOCK], state, given.band_keep)
            parts.append(out)
        return BranchOutput.joined(parts), state

    def _block(
        self, items: np.ndarray, state: SpectralState, band_keep: np.ndarray | None
    ) -> tuple[BranchOutput, SpectralState]:
        count, bands, reach = len(items), len(self.kernels), self.taps - 1
        context = state.items[-reach:]
        known = np.concatenate([np.zeros(reach - len(context), dtype=np.int64), context, items])
        q = self.identities[known]  # (W − 1 + n, q)
        filtered = (_banded(np.broadcast_to(self.reading, (count, *self.reading.shape))) @ q).reshape(count, bands, -1)
        before = np.concatenate([state.filtered[None], filtered[:-1]])
        agreement = np.einsum("nbq,nq->nb", before, q[reach:])
        decay = decay_matrix(np.array([self.rate]), count)[0]
        since = self.forget ** np.arange(1, count + 1)
        sums = decay @ agreement + since[:, None].astype(np.float32) * state.agreement
        weights = decay.sum(1) + since * state.weight
        out = self._finish(filtered, (sums / weights[:, None]).astype(np.float32), self.unit[known], band_keep)
        after = SpectralState(
            known[-self.taps :].copy(), filtered[-1].copy(), sums[-1].astype(np.float32), float(weights[-1])
        )
        return out, after

    def last(self, given: BranchInput) -> BranchOutput:
        """The newest position of a whole history → over (1,): one windowed sum a band, one autocorrelation."""
        items = given.items
        counted = -(-min(len(items), self.reach) // ROWS) * ROWS  # whole blocks; what is too old or never was weighs 0
        fading = self.fading[-counted:].copy()
        fading[: max(0, counted - len(items))] = 0
        tail = np.concatenate([np.zeros(max(0, counted + self.taps - len(items)), dtype=np.int64), items])
        tail = tail[-counted - self.taps :]
        q = self.identities[tail]  # (W + counted, q)
        record = self.reading @ self._autocorrelation(q, fading) / fading.sum()
        filtered = (self.reading @ q[-self.taps :])[None]
        return self._finish(filtered, record[None], self.unit[tail[-self.taps :]], given.band_keep)

    def _autocorrelation(self, q: np.ndarray, fading: np.ndarray) -> np.ndarray:
        """Σ_τ w_τ ⟨q_{τ−j}, q_τ⟩ for lags j = W … 1. q (W + n, q), w (n,) of its newest n → (W,).

        Block by block: all products of a few positions with those up to W before them, then a sum along the diagonals.
        """
        blocks, reach, width = len(fading) // ROWS, self.taps + ROWS, q.shape[1]
        later = (q[self.taps :] * fading[:, None]).reshape(blocks, ROWS, width)
        size = q.itemsize
        earlier = as_strided(q, (blocks, reach, width), (ROWS * width * size, width * size, size))
        products = later @ earlier.transpose(0, 2, 1)  # (blocks, ROWS, W + ROWS)
        strides = (ROWS * reach * size, (reach + 1) * size, size)
        result: np.ndarray = as_strided(products, (blocks, ROWS, self.taps), strides).sum((0, 1))
        return result

    def _finish(
        self, filtered: np.ndarray, record: np.ndarray, unit: np.ndarray, band_keep: np.ndarray | None
    ) -> BranchOutput:
        """F (n, b, q), record (n, b), vectors of the items from W − 1 before the first position (W − 1 + n, d) on.

        → over (n,).
        """
        energy = np.einsum("nbq,nbq->nb", filtered, filtered)
        coherence = np.log1p((energy + FILTER_EPSILON) / self.energy)
        agreement = record / self.strength
        if not self.adaptive:
            coherence, agreement = np.zeros_like(coherence), np.zeros_like(agreement)
        hidden = self.gain_in_bias + coherence[..., None] * self.gain_in[:, 0]
        hidden += agreement[..., None] * self.gain_in[:, 1]
        gains = softplus((gelu(hidden) * self.gain_out).sum(-1) + self.gain_out_bias)
        if band_keep is not None:
            gains = gains * band_keep
        response = (gains @ self.reading).astype(np.float32)  # (n, W), the filter applied at each position
        y = _banded(response[:, None]) @ unit
        strength = np.log1p(np.sqrt(np.einsum("nd,nd->n", y, y)))[:, None]
        evidence = np.concatenate([gains, coherence, strength], axis=1).astype(np.float32)
        return BranchOutput(y @ self.out, evidence, {"gains": gains})


def _bands(config: ModelConfig) -> int:
    return len(config.periods) + len(config.trend_scales) if config.filter == "learned" else 1


def _banded(response: np.ndarray) -> np.ndarray:
    """Filters (n, b, W), newest last, placed over W − 1 + n items: row t reads items t … t + W − 1.

    → (n·b, W − 1 + n).
    """
    count, bands, taps = response.shape
    width = taps - 1 + count
    laid = np.zeros((count, bands, width), dtype=response.dtype)
    step = laid.itemsize
    along = as_strided(laid, (count, bands, taps), ((bands * width + 1) * step, width * step, step))
    along[:] = response
    return laid.reshape(count * bands, width)
