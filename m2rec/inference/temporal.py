"""`m2rec.model.temporal.mamba.TemporalBranch` for one history: layers of multi-scale Mamba, then a feed-forward layer.

Glossary (names of the Mamba papers, as in the branch)
    D   inner width = heads × head width      N   state width      H   heads      P   head width
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from m2rec.inference.arrays import HORIZON, Weights, below, gelu, rms_normed, silu, softplus
from m2rec.inference.branch import PerItem
from m2rec.inference.items import ItemArrays
from m2rec.model.config import ModelConfig

CHUNK = 32  # positions that one matrix product combines
REACH = 256
LOOKUP_ROWS = 100_000  # up to so many items, what the first layer makes of each is worked out once


class Projected(NamedTuple):
    """What a layer makes of each position alone, or of each item: the gate σ-gated, (n, D); what its convolution reads,
    x B C, (n, D + 2N); and the step size Δ, (n, H).
    """

    gate: np.ndarray
    mixed: np.ndarray
    dt: np.ndarray

    def of(self, rows: np.ndarray) -> "Projected":
        """Those of some rows."""
        return Projected(self.gate[rows], self.mixed[rows], self.dt[rows])


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

    def project(self, x: np.ndarray) -> Projected:
        """Everything that depends on one position alone. (n, d) → (n, …)."""
        projected = rms_normed(x) @ self.into
        gate, dt = silu(projected[:, : self.inner]), softplus(projected[:, -self.heads :] + self.dt_bias)
        return Projected(gate, projected[:, self.inner : -self.heads], dt)

    def advance(self, made: Projected, state: LayerState) -> tuple[np.ndarray, LayerState]:
        """All positions of a continuation. (n, …) → (n, d) and the state after the last."""
        window = np.concatenate([state.conv, made.mixed])
        past = self.inner + self.state_width
        x, B, C = np.split(self._convolve(window, 0, self.mixed), [self.inner, past], axis=1)
        log_decay = (-made.dt * self.rate).T  # (H, n)
        x_heads = x.reshape(-1, self.heads, self.head_width).transpose(1, 0, 2)  # (H, n, P)
        entering = x_heads * made.dt.T[..., None]
        y, scan = _scan(entering, log_decay, B, C, state.scan)
        found = self._finish(y.transpose(1, 0, 2).reshape(len(x), -1), x, made.gate)
        return found, LayerState(window[len(x) :].copy(), scan)

    def step(self, made: Projected, state: LayerState) -> tuple[np.ndarray, LayerState]:
        """One more position: what `advance` does, in fewer calls. (1, …) → (1, d) and the state after it."""
        window = np.concatenate([state.conv, made.mixed])
        mixed = np.einsum("tc,tc->c", window, self.kernel)
        mixed += self.conv_bias
        mixed = silu(mixed)
        x, dt = mixed[: self.inner], made.dt[0]
        entering = x.reshape(self.heads, self.head_width) * dt[:, None]
        scan = state.scan * np.exp(-dt * self.rate)[:, None, None]
        past = self.inner + self.state_width
        scan += entering.reshape(-1, 1).dot(mixed[None, self.inner : past]).reshape(scan.shape)
        y = scan.reshape(self.inner, -1).dot(mixed[past:])
        return self._finish(y[None], x, made.gate), LayerState(window[1:], scan)

    def last(self, made: Projected, rows: np.ndarray, keep: np.ndarray | None = None) -> np.ndarray:
        """The newest position only, of a whole history: a decayed weighted sum instead of a scan.

        made (m, …), from which rows (n,) are taken in their order → (d,). It goes back from the newest until no head
        remembers, and takes up only the heads that still do: those that forget soonest stand first. keep (H,), 1 or 0,
        empties what some heads remember.
        """
        past, none = self.inner + self.state_width, np.zeros((self.taps - 1, self.mixed), dtype=np.float32)
        newest = np.concatenate([none, made.mixed[rows[-self.taps :]]])[-self.taps :]
        C = self._convolve(newest[:, past:], past, self.mixed)[0]
        y, x_now, decayed = np.zeros((self.heads, self.head_width), dtype=np.float32), none[0], none[0, : self.heads]
        for end in range(len(rows), 0, -REACH):
            begin = max(0, end - REACH)
            dt = made.dt[rows[begin:end][::-1]]  # newest first
            log_decay = -dt * self.rate
            after = log_decay.cumsum(0)
            later = after - log_decay + decayed  # Σ_{r>s} a_r
            decayed = decayed + after[-1]
            head = int(np.argmax(later[0] > -HORIZON))
            if end < len(rows) and later[0, head] <= -HORIZON:
                break
            channels = slice(head * self.head_width, past)
            mixed = made.mixed[:, channels][rows[max(0, begin - self.taps + 1) : end]]
            if begin < self.taps - 1:
                mixed = np.concatenate([none[begin:, channels], mixed])
            read = self._convolve(mixed, channels.start, past)
            x, B = read[:, : self.inner - channels.start], read[:, self.inner - channels.start :]
            weights = np.exp(later[:, head:], out=later[:, head:])
            weights *= dt[:, head:]
            weights = weights[::-1].T * (B @ C)
            sums = weights @ x  # of all heads' weights with all heads' inputs; the diagonal is wanted
            y[head:] += np.einsum("hhp->hp", sums.reshape(len(sums), len(sums), -1))
            x_now = x[-1] if end == len(rows) else x_now
        if keep is not None:
            y *= keep[:, None]
        return self._finish(y.reshape(-1), x_now, made.gate[rows[-1]])

    def _convolve(self, window: np.ndarray, begin: int, end: int) -> np.ndarray:
        """The channels from `begin` to `end`, all that `window` (taps − 1 + n, …) holds, through SiLU: (n, …)."""
        length, kernel = len(window) - self.taps + 1, self.kernel[:, begin:end]
        out = window[:length] * kernel[0]
        scratch = np.empty_like(out)
        for tap in range(1, self.taps):
            np.multiply(window[tap : tap + length], kernel[tap], scratch)
            out += scratch
        out += self.conv_bias[begin:end]
        return silu(out)

    def _finish(self, y: np.ndarray, x: np.ndarray, gate: np.ndarray) -> np.ndarray:
        result: np.ndarray = rms_normed((y + self.skip * x) * gate) @ self.out
        return result


def _scan(
    x: np.ndarray, log_decay: np.ndarray, B: np.ndarray, C: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The recurrence over n positions: within a chunk as matrix products, all chunks at once; from chunk to chunk the
    state alone is carried on (the SSD form of Mamba-2, arXiv 2405.21060).

    x (H, n, P), log_decay (H, n), B, C (n, N), state (H, P, N) → y (H, n, P), state.
    """
    heads, n, width = x.shape
    chunk = min(CHUNK, n)
    chunks = -(-n // chunk)
    x, log_decay = _padded(x, 1, chunks * chunk), _padded(log_decay, 1, chunks * chunk)  # what is added does nothing
    x, total = x.reshape(heads, chunks, chunk, width), log_decay.reshape(heads, chunks, chunk).cumsum(-1)
    B, C = (_padded(part, 0, chunks * chunk).reshape(chunks, chunk, -1) for part in (B, C))
    weights = total[..., :, None] - total[..., None, :]  # (H, chunks, n, n)
    weights = np.exp(np.minimum(weights, 0, out=weights), out=weights)
    weights *= np.tril(C @ B.transpose(0, 2, 1))
    y = weights @ x
    entering = (x * np.exp(total[..., -1:] - total)[..., None]).swapaxes(-1, -2) @ B  # (H, chunks, P, N)
    carried = np.exp(total)
    before = np.empty((chunks, *state.shape), dtype=np.float32)
    for at in range(chunks):
        before[at] = state
        state = state * carried[:, at, -1, None, None] + entering[:, at]
    y += ((C[:, None] @ before.swapaxes(-1, -2)) * carried.transpose(1, 0, 2)[..., None]).swapaxes(0, 1)
    return y.reshape(heads, -1, width)[:, :n], state


def _padded(x: np.ndarray, axis: int, length: int) -> np.ndarray:
    """With zeros at the end of an axis."""
    missing = length - x.shape[axis]
    if not missing:
        return x
    shape = list(x.shape)
    shape[axis] = missing
    return np.concatenate([x, np.zeros(shape, dtype=x.dtype)], axis=axis)


class Temporal(PerItem):
    """All layers, and the feed-forward layer after them."""

    inputs: np.ndarray  # (V + 1, d)
    gates: np.ndarray  # what the first layer makes of each item, as in `Projected`; no columns where V is large
    mixed: np.ndarray
    dt: np.ndarray

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
        empty = np.zeros((len(items.inputs), 0), dtype=np.float32)
        made = self.layers[0].project(items.inputs) if self.in_advance else Projected(empty, empty, empty)
        return {
            "inputs": items.inputs,
            "gates": made.gate,
            "mixed": np.ascontiguousarray(made.mixed),
            "dt": made.dt,
        }

    def start(self) -> TemporalState:
        """The state before the first item."""
        return tuple(layer.start() for layer in self.layers)

    def advance(self, items: np.ndarray, states: TemporalState) -> tuple[np.ndarray, TemporalState]:
        """All positions of a continuation. items (n,) → (n, d) and the state after the last."""
        x, after = self.inputs[items], []
        for at, (layer, state) in enumerate(zip(self.layers, states, strict=True)):
            read = layer.step if len(items) == 1 else layer.advance
            out, state = read(self._projected(at, items, x), state)
            x = x + out
            after.append(state)
        return self._feed(x), tuple(after)

    def last(self, items: np.ndarray, keep: np.ndarray | None = None) -> np.ndarray:
        """The newest position only. items (L,) → (d,). keep (H,), 1 or 0, empties heads of the last layer."""
        x, made, rows = self._below_top(items)
        return self._feed(x + self.layers[-1].last(made, rows, keep))

    def top_projected(self, items: np.ndarray) -> Projected:
        """What the last layer makes of each position alone. items (L,) → (L, …)."""
        _, made, rows = self._below_top(items)
        return made.of(rows)

    def _below_top(self, items: np.ndarray) -> tuple[np.ndarray, Projected, np.ndarray]:
        """The input of the last layer at the newest position (d,), its projections, and the row of each position."""
        *below, top = self.layers
        if not below and self.in_advance:
            return self.inputs[items[-1]], self._first(), items
        x = self.inputs[items]
        for at, layer in enumerate(below):
            x = x + layer.advance(self._projected(at, items, x), layer.start())[0]
        return x[-1], top.project(x), np.arange(len(items))

    def _first(self) -> Projected:
        return Projected(self.gates, self.mixed, self.dt)

    def _projected(self, at: int, items: np.ndarray, x: np.ndarray) -> Projected:
        return self._first().of(items) if at == 0 and self.in_advance else self.layers[at].project(x)

    def _feed(self, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = x + gelu(rms_normed(x) @ self.widen + self.widen_bias) @ self.narrow + self.narrow_bias
        return result
