"""`TemporalBranch` with one layer, for one history at a time."""

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import expit
from torch import Tensor

from m2rec.model.items import ItemTable
from m2rec.model.m2rec import M2Rec
from m2rec.model.serving.arrays import epsilon_of, gelu, unit_power, weights_of
from m2rec.model.temporal.mamba import MultiScaleMamba


class ServedTemporal:
    """`TemporalBranch` with one layer."""

    def __init__(self, model: M2Rec, table: ItemTable) -> None:
        branch = model.temporal
        layer = cast(MultiScaleMamba, branch.layers[0])
        self.per_head, self.state, self.inner = (layer.heads, layer.head_width), layer.state_width, layer.inner
        sizes = [self.inner, self.inner + 2 * self.state, layer.heads]
        z, mixed, dt = layer.in_proj(branch.norms[0](table.temporal)).split(sizes, dim=-1)
        dt = F.softplus(dt + layer.dt_bias)
        self.taps = layer.conv.kernel_size[0]
        kernel, bias = layer.conv.weight[:, 0].T, cast(Tensor, layer.conv.bias)  # (taps, D + 2N)
        self.mixed, self.kernel, self.bias = (weights_of(part) for part in (mixed, kernel, bias))
        past = self.inner + self.state  # C is asked for at the newest position only
        self.mixed_past, self.kernel_past = mixed[:, :past].contiguous(), kernel[:, :past].contiguous()
        self.bias_past = bias[:past].contiguous()
        self.dt, self.log_decay = weights_of(dt.T), weights_of((-dt * layer.A_log.exp()).T)  # (H, V + 1)
        self.gate, self.own = F.silu(z).numpy(), table.temporal.numpy()
        self.skip = layer.D.repeat_interleave(layer.head_width).numpy()
        self.out = weights_of(layer.out_proj.weight * layer.norm.weight)  # a norm's scale goes into what reads it
        norm, widen, narrow = (cast(Any, branch.feed[place]) for place in (0, 1, 4))
        self.inner_epsilon, self.feed_epsilon = epsilon_of(layer.norm), epsilon_of(norm)
        self.widen, self.widen_bias = weights_of(widen.weight * norm.weight), weights_of(widen.bias)
        self.narrow, self.narrow_bias = weights_of(narrow.weight), weights_of(narrow.bias)

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
        here = self.own[item] + self.out @ unit_power((y + self.skip * x) * self.gate[item], self.inner_epsilon)
        inner = gelu(self.widen @ unit_power(here, self.feed_epsilon) + self.widen_bias)
        return here + self.narrow @ inner + self.narrow_bias
