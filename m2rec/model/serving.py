"""One history, one answer, on a CPU: the same weights arranged for the visitor who waits.

With a batch of one, time goes into calling operations rather than into what they compute. Two things are done about
it, and neither changes what is answered:

* What depends on one item alone is worked out once per item: norm and in-projection of the temporal branch, Δ and the
  decay; the identity in the frequency branch; the salience in the semantic one. An answer looks these up.
* What is left is small, and small arrays are NumPy's: a call costs it a fraction of what it costs PyTorch. The few
  large operations stay with PyTorch and the threads it was given: convolution and sum over a history, and the scores.

Glossary (otherwise as in the branches)
    tail      the newest items of a history, the newest last, zeros before the first
    R(j)      decayed autocorrelation of the identities at lag j

`M2Rec.encode_last`, `M2Rec.step` and `M2Rec.shares` are the plain twins (tests/model/test_serving.py); they answer
batches, and they run on a GPU.
"""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import erf, expit
from torch import Tensor, nn

from m2rec.model.frequency import EPSILON
from m2rec.model.m2rec import Encoded, ItemTable, M2Rec
from m2rec.model.temporal import MultiScaleMamba

HORIZON = 16.0  # in memories: what is older has e⁻¹⁶ of the weight, less than float32 can tell from nothing
ROWS = 32  # positions whose products with those before them are held as one block
HALF_ROOT = np.float32(math.sqrt(0.5))
LEAST_WEIGHT = 1e-12  # of a mean of texts, as in `SemanticBranch`


@dataclass(frozen=True)
class ServingState:
    """What `Serving.step` carries; its size does not depend on how long the history is."""

    tail: np.ndarray  # int64 (W or the convolution's width,)
    scan: np.ndarray  # (H, P, N), the temporal branch's hidden state
    predicted: np.ndarray  # (b, q), what each band's output was before the newest item
    record: np.ndarray  # (b,), decayed sum of agreements
    weight: float  # decayed count
    taste: np.ndarray  # (K, d + 1), decayed sums of weighted text vectors and of the weights


class Serving:
    """Answers with a model whose weights do not change any more. Safe to share between threads."""

    def __init__(self, model: M2Rec, table: ItemTable | None = None) -> None:
        """`model` on the CPU, in evaluation mode, with one temporal layer; `table` its item table, where there is one.

        Raises ValueError for any other model: a second layer does not read items one at a time.
        """
        if model.training or model.bias.is_cuda or len(model.temporal.layers) != 1:
            raise ValueError("Serving takes a model on the CPU, in evaluation mode, with one temporal layer.")
        self.model = model
        with torch.no_grad():
            self.table = table or model.item_table()
            self._temporal = _Temporal(model, self.table)
            self._frequency = _Frequency(model, self.table)
            self._semantic = _Semantic(model, self.table)
            self._head = _Head(model)
            ranked = self.table.scoring[1 : model.config.items + 1]
            width = model.config.width
            self._vectors = ranked[:, :width].T.contiguous()  # (d, V)
            self._texts = self.table.text[1 : model.config.items + 1].T.contiguous()
            self._popular = (model.popularity * model.heeds)[:, None] * ranked[:, -1]  # (M, V)
            self._repeat = (model.repeat_bias * model.heeds)[:, None]

    @torch.inference_mode()
    def last(self, items: np.ndarray, keep: np.ndarray | None = None) -> Encoded:
        """After a whole history. items int (L,), L ≥ 1, no padding; keep (b,) mutes bands → Encoded over (1,)."""
        items = np.asarray(items, dtype=np.int64)
        return self._head(self._temporal.last(items), self._frequency.last(items, keep), self._semantic.last(items))

    def step(self, item: int, state: ServingState, keep: np.ndarray | None = None) -> tuple[Encoded, ServingState]:
        """One more item. → Encoded over (1,) and the new state; the old one stays as it was."""
        tail = np.append(state.tail[1:], item)
        temporal, scan = self._temporal.step(tail, state.scan)
        frequency, after = self._frequency.step(tail, state, keep)
        semantic, taste = self._semantic.step(item, state.taste)
        return self._head(temporal, frequency, semantic), replace(after, tail=tail, scan=scan, taste=taste)

    def start(self) -> ServingState:
        """The state before the first item."""
        bands, taps = self._frequency.reading.shape
        return ServingState(
            np.zeros(max(taps, self._temporal.taps), dtype=np.int64),
            np.zeros((*self._temporal.per_head, self._temporal.state), dtype=np.float32),
            np.zeros((bands, self._frequency.identities.shape[1]), dtype=np.float32),
            np.zeros(bands, dtype=np.float32),
            0.0,
            np.zeros((len(self._semantic.rate), self._semantic.rows.shape[1]), dtype=np.float32),
        )

    def seen(self, items: np.ndarray) -> Tensor:
        """Which items a history holds. items int (L,) → bool (1, V)."""
        seen = np.zeros((1, len(self.table.ids)), dtype=bool)
        seen[0, items] = True
        return torch.from_numpy(seen[:, 1 : self.model.config.items + 1])

    @torch.inference_mode()
    def shares(self, encoded: Encoded, seen: Tensor) -> Tensor:
        """What each branch adds to each item's probability, as `M2Rec.shares` has it. seen (1, V) → (1, M, V)."""
        if self.model.config.gate == "features":
            return self.model.shares(encoded, seen, self.table)
        # popularity and readiness to repeat first, then what the branches say is added to them
        scores = torch.addcmul(self._popular, self._repeat, seen)  # (M, V)
        features, width = encoded.features[0], len(self._vectors)
        if self.model.config.semantic_by_text:
            scores[:2].addmm_(features[:2, :width], self._vectors)
            scores[2].addmv_(self._texts.T, features[2, width : 2 * width])
        else:
            scores.addmm_(features[:, :width], self._vectors)
        return scores.softmax(-1).mul_(encoded.log_gate.exp().T)[None]


class _Rhythm(NamedTuple):
    """`FrequencyOut` at one position."""

    y: np.ndarray  # (d,)
    gains: np.ndarray  # (b,)
    evidence: np.ndarray  # (e,)


class _Temporal:
    """`TemporalBranch` with one layer."""

    def __init__(self, model: M2Rec, table: ItemTable) -> None:
        branch = model.temporal
        layer = cast(MultiScaleMamba, branch.layers[0])
        self.per_head, self.state, self.inner = (layer.heads, layer.head_width), layer.state_width, layer.inner
        sizes = [self.inner, self.inner + 2 * self.state, layer.heads]
        z, mixed, dt = layer.in_proj(branch.norms[0](table.ids)).split(sizes, dim=-1)
        dt = F.softplus(dt + layer.dt_bias)
        self.taps = layer.conv.kernel_size[0]
        kernel, bias = layer.conv.weight[:, 0].T, cast(Tensor, layer.conv.bias)  # (taps, D + 2N)
        self.mixed, self.kernel, self.bias = (_weights(part) for part in (mixed, kernel, bias))
        past = self.inner + self.state  # C is asked for at the newest position only
        self.mixed_past, self.kernel_past = mixed[:, :past].contiguous(), kernel[:, :past].contiguous()
        self.bias_past = bias[:past].contiguous()
        self.dt, self.log_decay = _weights(dt.T), _weights((-dt * layer.A_log.exp()).T)  # (H, V + 1)
        self.gate, self.ids = F.silu(z).numpy(), table.ids.numpy()
        self.skip = layer.D.repeat_interleave(layer.head_width).numpy()
        self.out = _weights(layer.out_proj.weight * layer.norm.weight)  # a norm's scale goes into what reads it
        norm, widen, narrow = (cast(Any, branch.feed[place]) for place in (0, 1, 4))
        self.inner_epsilon, self.feed_epsilon = _epsilon(layer.norm), _epsilon(norm)
        self.widen, self.widen_bias = _weights(widen.weight * norm.weight), _weights(widen.bias)
        self.narrow, self.narrow_bias = _weights(narrow.weight), _weights(narrow.bias)

    def last(self, items: np.ndarray) -> np.ndarray:
        """items (L,) → (d,)."""
        log_decay = self.log_decay.take(items, axis=1)
        later = log_decay[:, ::-1].cumsum(1)[:, ::-1] - log_decay  # Σ_{r>s} a_r, (H, L)
        x, B = self._past(items).split([self.inner, self.state], dim=-1)
        newest, _, C = self._newest(items)
        weights = torch.from_numpy(np.exp(later) * self.dt.take(items, axis=1)) * (B @ torch.from_numpy(C))
        # one product of all heads' weights with all heads' inputs, of which the diagonal is wanted, beats H small ones
        y = (weights @ x).numpy().reshape(self.per_head[0], *self.per_head).diagonal(axis1=0, axis2=1).T  # (H, P)
        return self._finish(y.ravel(), newest, items[-1])

    def step(self, tail: np.ndarray, scan: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The newest items, hidden state (H, P, N) → (d,) and the new hidden state."""
        item = tail[-1]
        x, B, C = self._newest(tail)
        entering = x.reshape(self.per_head) * self.dt[:, item, None]
        scan = scan * np.exp(self.log_decay[:, item])[:, None, None] + entering[..., None] * B
        return self._finish((scan.reshape(self.inner, -1) @ C), x, item), scan

    def _past(self, items: np.ndarray) -> Tensor:
        """x and B at every position, convolved. items (L,) → (L, D + N)."""
        length = len(items)
        before = np.zeros(self.taps - 1, dtype=np.int64)
        mixed = F.embedding(torch.from_numpy(np.concatenate([before, items])), self.mixed_past)
        out = torch.addcmul(self.bias_past, mixed[:length], self.kernel_past[0])
        for tap in range(1, self.taps):
            out.addcmul_(mixed[tap : tap + length], self.kernel_past[tap])
        return F.silu(out, inplace=True)

    def _newest(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x (D,), B and C (N,) at the last of some items, convolved."""
        there = items[-self.taps :]
        mixed = np.einsum("kc,kc->c", self.mixed[there], self.kernel[-len(there) :]) + self.bias
        mixed *= expit(mixed)  # silu
        past = self.inner + self.state
        return mixed[: self.inner], mixed[self.inner : past], mixed[past:]

    def _finish(self, y: np.ndarray, x: np.ndarray, item: int) -> np.ndarray:
        """What was summed up (D,), the newest position's x (D,) → (d,)."""
        here = self.ids[item] + self.out @ _unit_power((y + self.skip * x) * self.gate[item], self.inner_epsilon)
        inner = _gelu(self.widen @ _unit_power(here, self.feed_epsilon) + self.widen_bias)
        return here + self.narrow @ inner + self.narrow_bias


class _Frequency:
    """`FrequencyBranch`."""

    def __init__(self, model: M2Rec, table: ItemTable) -> None:
        branch = model.frequency
        self.taps, self.adaptive = branch.taps, branch.adaptive
        kernels = branch.kernels()
        self.reading = _weights(kernels.flip(-1))  # (b, W), newest last
        self.identities = _weights(branch._identity(table.unit))  # (V + 1, q)
        self.identities[0] = 0  # nothing stands before a history
        self.vectors = table.unit.numpy()
        self.forget = math.exp(branch.log_forget)
        self.reach = math.ceil(-HORIZON / float(branch.log_forget))
        ages = torch.arange(self.reach + ROWS - 1, -1, -1)  # the newest last
        self.fading = _weights((ages * branch.log_forget).exp())
        energy = kernels.square().sum(-1) + EPSILON  # of an incoherent history, (b,)
        self.energy, self.strength = _weights(energy), _weights(energy.sqrt())
        # what each band holds to be due, as a place in a tail with one zero before it: a trend holds nothing
        trends = branch.bands - len(branch.due_lags)
        self.due = np.concatenate([self.taps - branch.due_lags.numpy(), np.zeros(trends, dtype=np.int64)])
        self.due_items, self.slowest = branch.due_items, branch.slowest
        self.read, self.read_bias = _weights(branch.read.transpose(1, 2)), _weights(branch.read_bias)
        self.decide, self.decide_bias = _weights(branch.decide), _weights(branch.decide_bias)
        self.passes, self.out = _weights(branch.passes), _weights(branch.out.weight)

    def last(self, items: np.ndarray, keep: np.ndarray | None) -> _Rhythm:
        """items (L,) → over ()."""
        counted = -(-min(len(items), self.reach) // ROWS) * ROWS  # whole blocks; what is too old or never was weighs 0
        fading = self.fading[-counted:].copy()
        fading[: max(0, counted - len(items))] = 0
        tail = np.concatenate([np.zeros(max(0, counted + self.taps - len(items)), dtype=np.int64), items])
        tail = tail[-counted - self.taps :]
        q = self.identities[tail]  # (W + counted, q)
        record = self.reading @ self._autocorrelation(q, fading) / fading.sum()
        return self._finish(self.reading @ q[-self.taps :], record, tail[-self.taps :], keep)

    def step(self, tail: np.ndarray, state: ServingState, keep: np.ndarray | None) -> tuple[_Rhythm, ServingState]:
        """The newest items → over (), and the state with this branch's part brought up to date."""
        tail = tail[-self.taps :]
        q = self.identities[tail]
        record = state.record * self.forget + state.predicted @ q[-1]
        weight = state.weight * self.forget + 1
        filtered = self.reading @ q
        after = replace(state, predicted=filtered, record=record, weight=weight)
        return self._finish(filtered, record / weight, tail, keep), after

    def _autocorrelation(self, q: np.ndarray, fading: np.ndarray) -> np.ndarray:
        """Σ_τ w_τ ⟨q_{τ−j}, q_τ⟩ for lags j = W … 1. q (W + n, q), w (n,) of its newest n → (W,).

        Block by block: all products of a few positions with those up to W before them, then a sum along the diagonals.
        """
        blocks, reach, width = len(fading) // ROWS, self.taps + ROWS, q.shape[1]
        later = torch.from_numpy(q[self.taps :] * fading[:, None]).view(blocks, ROWS, width)
        earlier = torch.from_numpy(q).as_strided((blocks, reach, width), (ROWS * width, width, 1))
        products = later @ earlier.transpose(1, 2)  # (blocks, ROWS, W + ROWS)
        return products.as_strided((blocks, ROWS, self.taps), (ROWS * reach, reach + 1, 1)).sum((0, 1)).numpy()

    def _finish(self, filtered: np.ndarray, record: np.ndarray, tail: np.ndarray, keep: np.ndarray | None) -> _Rhythm:
        """F (b, q), record (b,), tail (W,) → over ()."""
        energy = (filtered * filtered).sum(1)
        parts = [np.log1p((energy + EPSILON) / self.energy), record / self.strength]
        if self.due_items:
            due = self.identities[np.append(0, tail)[self.due]]  # (b, q)
            density = due @ filtered[self.slowest] / self.strength[self.slowest]
            parts += [(due * filtered).sum(1) / self.strength, density]
        features = np.array(parts)  # (f, b)
        if not self.adaptive:
            features[:] = 0
        hidden = _gelu((self.read @ features.T[..., None])[..., 0] + self.read_bias)  # (b, 16)
        gains = np.logaddexp(0, (hidden * self.decide).sum(1) + self.decide_bias) * self.passes
        if keep is not None:
            gains = gains * keep
        y = (gains @ self.reading) @ self.vectors[tail]
        shown = features[[0, 2]].ravel() if self.due_items else features[0]
        strength = np.array([math.log1p(math.sqrt(y @ y))], dtype=np.float32)
        evidence = np.concatenate([gains, shown, strength])
        return _Rhythm(self.out @ y, gains, evidence)


class _Semantic:
    """`SemanticBranch`."""

    def __init__(self, model: M2Rec, table: ItemTable) -> None:
        branch = model.semantic
        self.rows = _weights(branch._parts(table.text[None])[0][0, :, 0])  # (V + 1, d + 1)
        self.rate = _weights(branch.log_rate.exp())  # (K,)
        self.decay = np.exp(-self.rate)[:, None]
        self.reach = math.ceil(HORIZON / float(self.rate.min()))
        widen, narrow = (cast(Any, branch.feed[place]) for place in (0, 3))
        self.widen, self.widen_bias = _weights(widen.weight), _weights(widen.bias)
        self.narrow, self.narrow_bias = _weights(narrow.weight), _weights(narrow.bias)

    def last(self, items: np.ndarray) -> np.ndarray:
        """items (L,) → (d,)."""
        items = items[-self.reach :]
        age = np.arange(len(items) - 1, -1, -1, dtype=np.float32)
        weights = np.exp(-self.rate[:, None] * age)  # (K, L)
        return self._finish((torch.from_numpy(weights) @ torch.from_numpy(self.rows[items])).numpy())

    def step(self, item: int, taste: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """taste (K, d + 1) → (d,) and the new sums."""
        taste = taste * self.decay + self.rows[item]
        return self._finish(taste), taste

    def _finish(self, sums: np.ndarray) -> np.ndarray:
        means = (sums[:, :-1] / np.maximum(sums[:, -1:], LEAST_WEIGHT)).ravel()
        return self.narrow @ _gelu(self.widen @ means + self.widen_bias) + self.narrow_bias


class _Head:
    """Gate, norms and temperatures: `M2Rec._encoded`, all branches at once."""

    def __init__(self, model: M2Rec) -> None:
        self.equal, self.by_text = model.gate.equal, model.config.semantic_by_text
        self.switched_off = _weights(model.gate.switched_off)
        width = model.config.width
        widen, narrow = (cast(Any, model.gate.feed[place]) for place in (0, 3))
        by_gate = torch.cat([cast(Any, norm).weight for norm in model.gate.norms])  # (3d,)
        self.widen = _weights(torch.cat([widen.weight[:, : 3 * width] * by_gate, widen.weight[:, 3 * width :]], dim=1))
        self.widen_bias = _weights(widen.bias)
        self.narrow, self.narrow_bias = _weights(narrow.weight), _weights(narrow.bias)
        self.gate_epsilon = _epsilon(model.gate.norms[0])
        temperature = model.log_temperature.exp()
        self.temporal, self.semantic = (
            _weights(cast(Any, norm).weight * temperature[place])
            for norm, place in zip(model.norms, (0, 2), strict=True)
        )
        self.epsilon = _epsilon(model.norms[0])
        self.strength = float(temperature[1])  # the frequency branch is not normed: how loud it is tells something
        # what stands at the end of each branch's features, and where the rest of them begins
        self.width, half = width, width if self.by_text else 0
        self.blank = np.zeros((1, 3, width + half + 1), dtype=np.float32)
        self.blank[0, :, -1] = _weights(model.popularity * model.heeds)
        self.text_half = slice(half, half + width)

    def __call__(self, temporal: np.ndarray, rhythm: _Rhythm, semantic: np.ndarray) -> Encoded:
        features = self.blank.copy()
        features[0, 0, : self.width] = _unit_power(temporal, self.epsilon) * self.temporal
        features[0, 1, : self.width] = rhythm.y * self.strength
        features[0, 2, self.text_half] = _unit_power(semantic, self.epsilon) * self.semantic
        logits = self.switched_off
        if not self.equal:
            normed = [_unit_power(branch, self.gate_epsilon) for branch in (temporal, rhythm.y, semantic)]
            inner = _gelu(self.widen @ np.concatenate([*normed, rhythm.evidence]) + self.widen_bias)
            logits = logits + self.narrow @ inner + self.narrow_bias
        largest = logits.max()
        log_gate = logits - (largest + math.log(np.exp(logits - largest).sum()))
        return Encoded(*(torch.from_numpy(part) for part in (features, log_gate[None], rhythm.gains[None])))


def _unit_power(x: np.ndarray, epsilon: float) -> np.ndarray:
    """RMSNorm without its scale. x (d,) → the same with a mean square of one."""
    return x * (1 / math.sqrt(float(x @ x) / len(x) + epsilon))


def _gelu(x: np.ndarray) -> np.ndarray:
    return x * (0.5 + 0.5 * erf(x * HALF_ROOT))


def _epsilon(norm: nn.Module) -> float:
    """What an RMSNorm adds to the mean square."""
    epsilon = cast(nn.RMSNorm, norm).eps
    return float(torch.finfo(torch.float32).eps) if epsilon is None else epsilon


def _weights(tensor: Tensor) -> np.ndarray:
    """An array of its own, row after row in memory."""
    return np.array(tensor.detach().numpy(), dtype=np.float32, order="C")
