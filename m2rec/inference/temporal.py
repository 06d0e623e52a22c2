"""`m2rec.model.temporal.mamba.TemporalBranch` for one history: layers of multi-scale Mamba, then a feed-forward layer.

Glossary (names of the Mamba papers, as in the branch)
    D   inner width = heads × head width      N   state width      H   heads      P   head width
"""

from dataclasses import dataclass

import numpy as np

from m2rec.branches import NEWEST_ITEM
from m2rec.inference.arrays import HORIZON, Shapes, Weights, below, feed_shapes, gelu, rms_normed, silu, under
from m2rec.inference.branch import BranchInput, BranchOutput, SoftmaxBranch
from m2rec.inference.items import ItemArrays
from m2rec.inference.projected import LookedUp, Positions, Projected, Projection, WorkedOut
from m2rec.inference.scan import scan
from m2rec.inference.softmax import SoftmaxHead
from m2rec.model.config import ModelConfig

REACH = 256  # positions that `Layer.last` goes back at a time
BLOCK = 256  # positions that one layer hands to the next at a time: what is made of them stays in a processor's cache
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
        # a norm's weight is folded into the layer after it
        into = np.ascontiguousarray((weights["in_proj.weight"] * norm).T)
        self.projection = Projection(into, weights["dt_bias"], self.inner)
        self.kernel = np.ascontiguousarray(weights["conv.weight"][:, 0].T)  # (taps, D + 2N)
        self.conv_bias = weights["conv.bias"]
        self.rate = np.exp(weights["A_log"])  # −A, (H,)
        self.skip = np.repeat(weights["D"], self.head_width)
        self.out = np.ascontiguousarray((weights["out_proj.weight"] * weights["norm.weight"]).T)
        self.taps = len(self.kernel)

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """Of its weights."""
        heads = len(config.time_scales) * config.heads_per_scale
        inner = heads * config.head_width
        mixed = inner + 2 * config.state_width
        return {
            "A_log": (heads,),
            "D": (heads,),
            "dt_bias": (heads,),
            "in_proj.weight": (inner + mixed + heads, config.width),
            "conv.weight": (mixed, 1, config.conv_width),
            "conv.bias": (mixed,),
            "norm.weight": (inner,),
            "out_proj.weight": (config.width, inner),
        }

    def start(self) -> LayerState:
        """The state before the first item."""
        return LayerState(
            np.zeros((self.taps - 1, self.mixed), dtype=np.float32),
            np.zeros((self.heads, self.head_width, self.state_width), dtype=np.float32),
        )

    def advance(self, made: Projected, state: LayerState) -> tuple[np.ndarray, LayerState]:
        """All positions of a continuation. (n, …) → (n, d) and the state after the last."""
        window = np.concatenate([state.conv, made.mixed])
        past = self.inner + self.state_width
        x, B, C = np.split(self._convolve(window, 0, self.mixed), [self.inner, past], axis=1)
        entering = x.reshape(-1, self.heads, self.head_width) * made.dt[..., None]  # (n, H, P)
        y, after = scan(entering, -made.dt * self.rate, B, C, state.scan)
        found = self._finish(y.reshape(len(x), -1), x, made.gate)
        return found, LayerState(window[len(x) :].copy(), after)

    def step(self, made: Projected, state: LayerState) -> tuple[np.ndarray, LayerState]:
        """One more position: what `advance` does, in fewer calls. (1, …) → (1, d) and the state after it."""
        window = np.concatenate([state.conv, made.mixed])
        mixed = np.einsum("tc,tc->c", window, self.kernel)
        mixed += self.conv_bias
        mixed = silu(mixed)
        x, dt = mixed[: self.inner], made.dt[0]
        entering = x.reshape(self.heads, self.head_width) * dt[:, None]
        held = state.scan * np.exp(-dt * self.rate)[:, None, None]
        past = self.inner + self.state_width
        held += entering.reshape(-1, 1).dot(mixed[None, self.inner : past]).reshape(held.shape)
        y = held.reshape(self.inner, -1).dot(mixed[past:])
        return self._finish(y[None], x, made.gate), LayerState(window[1:], held)

    def last(self, history: Positions, keep: np.ndarray | None = None) -> np.ndarray:
        """The newest position only, of a whole history: a decayed weighted sum instead of a scan.

        It goes back from the newest until no head remembers, and takes up only the heads that still do: those that
        forget soonest stand first. keep (H,), 1 or 0, empties what some heads remember → (d,).
        """
        count, past = len(history), self.inner + self.state_width
        none = np.zeros((self.taps - 1, self.mixed), dtype=np.float32)
        newest = np.concatenate([none[:, past:], history.mixed(slice(-self.taps, None), slice(past, self.mixed))])
        C = self._convolve(newest[-self.taps :], past, self.mixed)[0]
        y, x_now, decayed = np.zeros((self.heads, self.head_width), dtype=np.float32), none[0], none[0, : self.heads]
        for end in range(count, 0, -REACH):
            begin = max(0, end - REACH)
            dt = history.dt(slice(begin, end))[::-1]  # newest first
            log_decay = -dt * self.rate
            after = log_decay.cumsum(0)
            later = after - log_decay + decayed  # Σ_{r>s} a_r
            decayed = decayed + after[-1]
            head = int(np.argmax(later[0] > -HORIZON))
            if end < count and later[0, head] <= -HORIZON:
                break
            channels = slice(head * self.head_width, past)
            mixed = history.mixed(slice(max(0, begin - self.taps + 1), end), channels)
            if begin < self.taps - 1:
                mixed = np.concatenate([none[begin:, channels], mixed])
            read = self._convolve(mixed, channels.start, past)
            x, B = read[:, : self.inner - channels.start], read[:, self.inner - channels.start :]
            weights = np.exp(later[:, head:], out=later[:, head:])
            weights *= dt[:, head:]
            weights = weights[::-1].T * (B @ C)
            sums = weights @ x  # of all heads' weights with all heads' inputs; the diagonal is wanted
            y[head:] += np.einsum("hhp->hp", sums.reshape(len(sums), len(sums), -1))
            x_now = x[-1] if end == count else x_now
        if keep is not None:
            y *= keep[:, None]
        return self._finish(y.reshape(-1), x_now, history.gate())

    def last_of_each(self, made: Projected, items: np.ndarray) -> np.ndarray:
        """The newest position of B histories, of `made`, what there is of each item: items (B, L) → (B, d).

        The convolution is worked out for the first history, and for the others only where it reads another item.
        """
        (count, length), past = items.shape, self.inner + self.state_width
        window = np.concatenate([np.zeros((self.taps - 1, self.mixed), dtype=np.float32), made.mixed[items[0]]])
        x, B, C = np.split(self._convolve(window, 0, self.mixed), [self.inner, past], axis=1)
        dt = made.dt[items]  # (B, L, H)
        log_decay = -dt * self.rate
        weights = np.exp(log_decay[:, ::-1].cumsum(1)[:, ::-1] - log_decay)
        weights *= dt

        row, at = np.nonzero(reading_others(items, self.taps))
        other = self._convolved(made.mixed, items, row, at)  # (n, D + 2N)
        newest = np.repeat(C[-1:], count, axis=0)
        x_now = np.repeat(x[-1:], count, axis=0)
        last = at == length - 1
        newest[row[last]], x_now[row[last]] = other[last, past:], other[last, : self.inner]
        met = newest @ B.T  # (B, L)
        met[row, at] = np.einsum("nc,nc->n", other[:, self.inner : past], newest[row])
        weights *= met[..., None]
        own = weights[row, at]  # (n, H)
        weights[row, at] = 0
        shared = x.reshape(length, self.heads, -1).transpose(1, 0, 2)
        y = (weights.transpose(2, 0, 1) @ shared).transpose(1, 0, 2)  # (B, H, P)
        np.add.at(y, row, other[:, : self.inner].reshape(len(row), self.heads, self.head_width) * own[..., None])
        return self._finish(y.reshape(count, -1), x_now, made.gate[items[:, -1]])

    def _convolved(self, mixed: np.ndarray, items: np.ndarray, row: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The convolution at single positions of several histories. row, at (n,) → (n, D + 2N)."""
        places = at[:, None] + np.arange(1 - self.taps, 1)
        read = mixed[items[row[:, None], np.maximum(places, 0)]]
        read[places < 0] = 0
        out = np.einsum("ntc,tc->nc", read, self.kernel)
        out += self.conv_bias
        return silu(out)

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


def reading_others(items: np.ndarray, taps: int) -> np.ndarray:
    """Where a convolution over `taps` items reads others than in the first history. items (B, L) → bool (B, L)."""
    other = items != items[0]
    result = other.copy()
    for back in range(1, taps):
        result[:, back:] |= other[:, :-back]
    return result


class Temporal(SoftmaxBranch):
    """All layers, the feed-forward layer after them, and the softmax over items (`m2rec.inference.branch.Branch`)."""

    newest_bias = True
    inputs: np.ndarray  # (V + 1, d), those of `ItemArrays`: a large catalogue is not copied, `_read` scales
    gates: np.ndarray  # what the first layer makes of each item, as in `Projected`; no columns where V is large
    mixed: np.ndarray
    dt: np.ndarray

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """As in `Branch`."""
        d = config.width
        shapes = {"log_input_scale": (), **under("softmax", SoftmaxHead.shapes(d, newest=config.repeat_bias))}
        for layer in range(config.temporal_layers):
            shapes |= {f"norms.{layer}.weight": (d,), **under(f"layers.{layer}", Layer.shapes(config))}
        return {**shapes, "feed.0.weight": (d,), **feed_shapes(1, d, config.expansion * d, d, 4)}

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "temporal." in front."""
        self.head, self.scales = SoftmaxHead(below(weights, "softmax"), items), len(config.time_scales)
        self.layers = [
            Layer(config, below(weights, f"layers.{at}"), weights[f"norms.{at}.weight"])
            for at in range(config.temporal_layers)
        ]
        self.widen = np.ascontiguousarray((weights["feed.1.weight"] * weights["feed.0.weight"]).T)
        self.widen_bias = weights["feed.1.bias"]
        self.narrow, self.narrow_bias = np.ascontiguousarray(weights["feed.4.weight"].T), weights["feed.4.bias"]
        self.input_scale = np.exp(weights["log_input_scale"])
        self.in_advance = len(items.inputs) <= LOOKUP_ROWS
        self.take(items)

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """Inputs, and their projections where there are not too many."""
        empty = np.zeros((len(items.inputs), 0), dtype=np.float32)
        made = Projected(empty, empty, empty)
        if self.in_advance:
            made = self.layers[0].projection.all(items.inputs * self.input_scale)
        return {
            "inputs": items.inputs,
            "gates": made.gate,
            "mixed": np.ascontiguousarray(made.mixed),
            "dt": made.dt,
        }

    def start(self) -> TemporalState:
        """The state before the first item."""
        return tuple(layer.start() for layer in self.layers)

    def advance(self, given: BranchInput, state: TemporalState) -> tuple[BranchOutput, TemporalState]:
        """All positions of a continuation → over (n,), and the state after the last."""
        items = given.items
        x, after = self._read(items), []
        for at, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            read = layer.step if len(items) == 1 else layer.advance
            out, here = read(self._projected(at, items, x), before)
            x = x + out
            after.append(here)
        return BranchOutput(self._feed(x), detail={NEWEST_ITEM: items}), tuple(after)

    def last(self, given: BranchInput) -> BranchOutput:
        """The newest position of a whole history → over (1,)."""
        return BranchOutput(self.newest(given.items)[None], detail={NEWEST_ITEM: given.items[-1:]})

    def last_of_each(self, given: BranchInput) -> BranchOutput:
        """As in `Branch`; the quick way is that of a single layer whose projections are there already."""
        items = given.items
        if len(self.layers) > 1 or not self.in_advance:
            return super().last_of_each(given)
        found = self.layers[0].last_of_each(self._first(), items)
        return BranchOutput(self._feed(self._read(items[:, -1]) + found), detail={NEWEST_ITEM: items[:, -1]})

    def newest(self, items: np.ndarray, keep: np.ndarray | None = None) -> np.ndarray:
        """The vector at the newest position. items (L,) → (d,). keep (H,), 1 or 0, empties heads of the last layer."""
        newest, positions = self._below_top(items)
        return self._feed(newest + self.layers[-1].last(positions, keep))

    def step_sizes(self, items: np.ndarray) -> np.ndarray:
        """Δ of the last layer at each position. items (L,) → (L, H)."""
        return self._below_top(items)[1].dt(slice(None))

    def _below_top(self, items: np.ndarray) -> tuple[np.ndarray, Positions]:
        """The input of the last layer at the newest position (d,), and what it makes of each position."""
        *below, top = self.layers
        if not below and self.in_advance:
            return self._read(items[-1]), LookedUp(self._first(), items)
        states, parts = [layer.start() for layer in below], []
        for begin in range(0, len(items), BLOCK):
            part = items[begin : begin + BLOCK]
            x = self._read(part)
            for at, layer in enumerate(below):
                out, states[at] = layer.advance(self._projected(at, part, x), states[at])
                x = x + out
            parts.append(x)
        x = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return x[-1], WorkedOut(top.projection, x)

    def _read(self, items: np.ndarray) -> np.ndarray:
        """The inputs of these items, scaled. (…) → (…, d)."""
        scaled: np.ndarray = self.inputs[items] * self.input_scale
        return scaled

    def _first(self) -> Projected:
        return Projected(self.gates, self.mixed, self.dt)

    def _projected(self, at: int, items: np.ndarray, x: np.ndarray) -> Projected:
        return self._first().of(items) if at == 0 and self.in_advance else self.layers[at].projection.all(x)

    def _feed(self, x: np.ndarray) -> np.ndarray:
        result: np.ndarray = x + gelu(rms_normed(x) @ self.widen + self.widen_bias) @ self.narrow + self.narrow_bias
        return result
