"""`m2rec.model.temporal.mamba.TemporalBranch` for one history: layers of multi-scale Mamba, then a feed-forward layer.

Glossary (names of the Mamba papers, as in the branch)
    D   inner width = heads × head width      N   state width      H   heads      P   head width
"""

from dataclasses import dataclass

import numpy as np

from m2rec.inference.arrays import Weights, below, gelu, rms_normed, sigmoid, silu, softplus
from m2rec.inference.branch import PerItem
from m2rec.inference.items import ItemArrays
from m2rec.model.config import ModelConfig

CHUNK = 64  # positions that one matrix product combines
LOOKUP_ROWS = 100_000  # up to so many items, what the first layer makes of each is worked out once


@dataclass(frozen=True)
class LayerState:
    """State of one layer: the inputs that its convolution still reads (taps − 1, D + 2N), and (H, P, N)."""

    conv: np.ndarray
    scan: np.ndarray


TemporalState = tuple[LayerState, ...]


class Layer:
    """One `MultiScaleMamba` with the norm before it."""

    def __init__(self, config: ModelConfig, weights: Weights, norm: np.ndarray) -> None:
        self.heads, self.head_width = len(config.time_scales) * config.heads_per_scale, config.head_width
        self.inner, self.state_width = self.heads * config.head_width, config.state_width
        self.mixed = self.inner + 2 * self.state_width
        self.into = np.ascontiguousarray(
            (weights["in_proj.weight"] * norm).T
        )  # a norm's weight is folded into the layer after it
        self.kernel = np.ascontiguousarray(weights["conv.weight"][:, 0].T)  # (taps, D + 2N)
        self.conv_bias, self.dt_bias = weights["conv.bias"], weights["dt_bias"]
        self.rate = np.exp(weights["A_log"])  # −A, (H,)
        self.skip = np.repeat(weights["D"], self.head_width)
        self.out = np.ascontiguousarray((weights["out_proj.weight"] * weights["norm.weight"]).T)
        self.taps = len(self.kernel)

    def start(self) -> LayerState:
        """The state before the first item."""
        return LayerState(
            np.zeros((self.taps - 1, self.mixed), dtype=np.float32),
            np.zeros((self.heads, self.head_width, self.state_width), dtype=np.float32),
        )

    def project(self, x: np.ndarray) -> np.ndarray:
        """Everything that depends on one position alone. (n, d) → (n, 2D + 2N + H): σ-gated z, x B C, and Δ."""
        projected = rms_normed(x) @ self.into
        projected[:, : self.inner] = silu(projected[:, : self.inner])
        projected[:, -self.heads :] = softplus(projected[:, -self.heads :] + self.dt_bias)
        return projected

    def advance(self, projected: np.ndarray, state: LayerState) -> tuple[np.ndarray, LayerState]:
        """All positions of a continuation. projected (n, …) → (n, d) and the state after the last."""
        gate, dt = projected[:, : self.inner], projected[:, -self.heads :]
        window = np.concatenate([state.conv, projected[:, self.inner : -self.heads]])
        x, B, C = self._convolved(window)
        log_decay = (-dt * self.rate).T  # (H, n)
        x_heads = x.reshape(-1, self.heads, self.head_width).transpose(1, 0, 2)  # (H, n, P)
        entering = x_heads * dt.T[..., None]
        y, scan = np.empty_like(x_heads), state.scan
        for at in range(0, len(x), CHUNK):
            part = slice(at, at + CHUNK)
            y[:, part], scan = _scan(entering[:, part], log_decay[:, part], B[part], C[part], scan)
        return self._finish(y.transpose(1, 0, 2).reshape(len(x), -1), x, gate), LayerState(
            window[len(x) :].copy(), scan
        )

    def last(self, projected: np.ndarray, keep: np.ndarray | None = None) -> np.ndarray:
        """The newest position only, of a whole history: a decayed weighted sum instead of a scan. (n, …) → (d,).

        keep (H,), 1 or 0, empties what some heads remember.
        """
        gate, dt = projected[-1, : self.inner], projected[:, -self.heads :].T  # (H, n)
        mixed, past = projected[:, self.inner : -self.heads], self.inner + self.state_width
        blank = np.zeros((self.taps - 1, self.mixed), dtype=np.float32)
        x, B = np.split(self._convolve(np.concatenate([blank, mixed])[:, :past], past), [self.inner], axis=1)
        newest = np.concatenate([blank, mixed[-self.taps :]])[-self.taps :]
        C = self._convolve(newest, self.mixed)[0, past:]
        log_decay = -dt * self.rate[:, None]
        later = log_decay[:, ::-1].cumsum(1)[:, ::-1] - log_decay  # Σ_{r>s} a_r
        sums = (
            np.exp(later) * dt * (B @ C)
        ) @ x  # of all heads' weights with all heads' inputs; the diagonal is wanted
        y = sums.reshape(self.heads, self.heads, self.head_width).diagonal(axis1=0, axis2=1).T
        if keep is not None:
            y = y * keep[:, None]
        return self._finish(y.reshape(-1), x[-1], gate)

    def _convolved(self, window: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mixed = self._convolve(window, self.mixed)
        past = self.inner + self.state_width
        return mixed[:, : self.inner], mixed[:, self.inner : past], mixed[:, past:]

    def _convolve(self, window: np.ndarray, width: int) -> np.ndarray:
        """The first `width` channels of (taps − 1 + n, …), convolved and through SiLU: (n, width)."""
        length = len(window) - self.taps + 1
        out = window[:length] * self.kernel[0, :width]
        for tap in range(1, self.taps):
            out += window[tap : tap + length] * self.kernel[tap, :width]
        out += self.conv_bias[:width]
        out *= sigmoid(out)
        return out

    def _finish(self, y: np.ndarray, x: np.ndarray, gate: np.ndarray) -> np.ndarray:
        result: np.ndarray = rms_normed((y + self.skip * x) * gate) @ self.out
        return result


def _scan(
    x: np.ndarray, log_decay: np.ndarray, B: np.ndarray, C: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One chunk of the recurrence. x (H, n, P), log_decay (H, n), B, C (n, N), state (H, P, N) → y (H, n, P), state."""
    total = log_decay.cumsum(1)
    carried = np.exp(total)
    y = carried[..., None] * (C @ state.transpose(0, 2, 1))
    if x.shape[1] == 1:
        y += x * (B @ C.T)
    else:
        steps = total[:, :, None] - total[:, None]
        weights = np.exp(np.minimum(steps, 0, out=steps), out=steps)
        weights *= np.tril(C @ B.T)
        y += weights @ x
    to_end = np.exp(total[:, -1:] - total)
    return y, state * carried[:, -1, None, None] + (x * to_end[..., None]).transpose(0, 2, 1) @ B


class Temporal(PerItem):
    """All layers, and the feed-forward layer after them."""

    inputs: np.ndarray  # (V + 1, d)
    lookup: np.ndarray  # (V + 1, 2D + 2N + H), what the first layer makes of each item; no columns where V is large

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "temporal." in front."""
        self.layers = [
            Layer(config, below(weights, f"layers.{at}"), weights[f"norms.{at}.weight"])
            for at in range(config.temporal_layers)
        ]
        self.widen = np.ascontiguousarray((weights["feed.1.weight"] * weights["feed.0.weight"]).T)
        self.widen_bias = weights["feed.1.bias"]
        self.narrow, self.narrow_bias = np.ascontiguousarray(weights["feed.4.weight"].T), weights["feed.4.bias"]
        self.in_advance = len(items.inputs) <= LOOKUP_ROWS
        self.take(items)

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """Inputs, and their projections where there are not too many."""
        lookup = self.layers[0].project(items.inputs) if self.in_advance else np.zeros((len(items.inputs), 0))
        return {"inputs": items.inputs, "lookup": lookup}

    def start(self) -> TemporalState:
        """The state before the first item."""
        return tuple(layer.start() for layer in self.layers)

    def advance(self, items: np.ndarray, states: TemporalState) -> tuple[np.ndarray, TemporalState]:
        """All positions of a continuation. items (n,) → (n, d) and the state after the last."""
        x, after = self.inputs[items], []
        for at, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            out, state = layer.advance(self._projected(at, items, x), state)
            x = x + out
            after.append(state)
        return self._feed(x), tuple(after)

    def last(self, items: np.ndarray, keep: np.ndarray | None = None) -> np.ndarray:
        """The newest position only. items (L,) → (d,). keep (H,), 1 or 0, empties heads of the last layer."""
        x, projected = self._below_top(items)
        return self._feed(x[-1] + self.layers[-1].last(projected, keep))

    def top_projected(self, items: np.ndarray) -> np.ndarray:
        """What the last layer makes of each position alone (`Layer.project`). items (L,) → (L, 2D + 2N + H)."""
        return self._below_top(items)[1]

    def _below_top(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The input of the last layer (L, d), and its projection."""
        x = self.inputs[items]
        for at, layer in enumerate(self.layers[:-1]):
            x = x + layer.advance(self._projected(at, items, x), layer.start())[0]
        return x, self._projected(len(self.layers) - 1, items, x)

    def _projected(self, at: int, items: np.ndarray, x: np.ndarray) -> np.ndarray:
        return self.lookup[items] if at == 0 and self.in_advance else self.layers[at].project(x)

    def _feed(self, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = x + gelu(rms_normed(x) @ self.widen + self.widen_bias) @ self.narrow + self.narrow_bias
        return result
