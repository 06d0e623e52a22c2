"""SASRec (Kang and McAuley 2018): causal self-attention over the item vectors, with learned positions.

    x_t ← √d · v_t + position_t                 position 1 is the oldest item that is read
    x ← x + dropout(attention(norm(x)))         causal, several heads
    x ← x + dropout(feed(norm(x)))              feed(x) = W₂ relu(W₁ x)
    h = norm(x)

The paper pads on the left, so the newest item always has the last position. Here the oldest item always has position 1,
so the output after an item does not change when more items follow, and cached keys and values stay valid until the
window is full.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from pydantic import model_validator
from torch import Tensor, nn

from m2rec.baselines.settings import BaselineSettings, Positive, Rate
from m2rec.model.items import INITIAL_SCALE


class SasRecSettings(BaselineSettings):
    """Shape of SASRec."""

    layers: Positive = 2
    heads: Positive = 2
    expansion: Positive = 1  # feed-forward width / d; 1 as published

    @model_validator(mode="after")
    def _divisible(self) -> "SasRecSettings":
        if self.width % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide width ({self.width})")
        return self


class SasRecTextSettings(SasRecSettings):
    """SASRec with item vectors that include text, to check that M2Rec's lead does not come from text alone."""

    id_dropout: Rate = 0.1  # share of items whose ID vector is dropped in a training batch


FIRST_CAPACITY = 64  # positions of a new cache; it doubles when it is full


@dataclass
class Cache:
    """Keys and values of one layer, each (B, heads, capacity, d / heads), of which `filled` positions are used."""

    keys: Tensor
    values: Tensor
    filled: int = 0

    def extended(self, length: int, keys: Tensor, values: Tensor) -> "Cache":
        """The cache with one more position after the first `length`. keys and values (B, heads, 1, d / heads).

        If there is capacity and no other state has continued from the same position, this cache is changed in place
        and returned: states with fewer positions do not read the new one. Otherwise it is copied first.
        """
        cache = self
        if self.filled != length or length == self.keys.shape[2]:
            cache = Cache(self._enlarged(self.keys, length), self._enlarged(self.values, length), length)
        cache.keys[:, :, length : length + 1] = keys
        cache.values[:, :, length : length + 1] = values
        cache.filled = length + 1
        return cache

    @staticmethod
    def _enlarged(part: Tensor, length: int) -> Tensor:
        batch, heads, _, width = part.shape
        larger = part.new_empty(batch, heads, max(FIRST_CAPACITY, 2 * length), width)
        larger[:, :, :length] = part[:, :, :length]
        return larger


@dataclass(frozen=True)
class SasRecState:
    """The state after `length` items: a cache for every layer, which grows with the history."""

    caches: list[Cache]
    length: int

    def rewind(self) -> None:
        """Let the next step write into the cache in place. States that continued from this one become invalid."""
        for cache in self.caches:
            cache.filled = self.length


class Attention(nn.Module):
    """Causal multi-head attention by PyTorch's fused kernel."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.read = nn.Linear(width, 3 * width)  # queries, keys, values
        self.out = nn.Linear(width, width)
        for weight in (*self.read.weight.chunk(3), self.out.weight):
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(self.read.bias)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        q, k, v = (self._split(part) for part in self.read(x).chunk(3, dim=-1))
        dropout = self.dropout if self.training else 0.0
        return self._merge(F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=dropout))

    def last(self, here: Tensor, x: Tensor, lengths: Tensor) -> Tensor:
        """One query against all keys. here (B, d) the last real position of x (B, L, d) → (B, d)."""
        width = x.shape[-1]
        q = self._split(F.linear(here, self.read.weight[:width], self.read.bias[:width])[:, None])
        k, v = (
            self._split(part) for part in F.linear(x, self.read.weight[width:], self.read.bias[width:]).chunk(2, dim=-1)
        )
        real = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        mask = None if len(x) == 1 and int(lengths[0]) == x.shape[1] else real[:, None, None]
        return self._merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask))[:, 0]

    def step(self, x: Tensor, cache: Cache, length: int) -> tuple[Tensor, Cache]:
        """x (B, d) after `length` items → (B, d) and the longer cache."""
        q, k, v = (self._split(part) for part in self.read(x[:, None]).chunk(3, dim=-1))
        cache = cache.extended(length, k, v)
        k, v = cache.keys[:, :, : length + 1], cache.values[:, :, : length + 1]
        return self._merge(F.scaled_dot_product_attention(q, k, v))[:, 0], cache

    def _split(self, x: Tensor) -> Tensor:
        """(B, L, d) → (B, heads, L, d / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _merge(self, x: Tensor) -> Tensor:
        return self.out(x.transpose(1, 2).flatten(-2))


class Block(nn.Module):
    """Attention, then the position-wise network, each with a normed input and a residual connection."""

    def __init__(self, settings: SasRecSettings) -> None:
        super().__init__()
        width, inner = settings.width, settings.expansion * settings.width
        self.before_attention = nn.LayerNorm(width)
        self.attention = Attention(width, settings.heads, settings.dropout)
        self.before_feed = nn.LayerNorm(width)
        self.widen = nn.Linear(width, inner)
        self.narrow = nn.Linear(inner, width)
        self.dropout = nn.Dropout(settings.dropout)
        for layer in (self.widen, self.narrow):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        return self._feed(x + self.dropout(self.attention(self.before_attention(x))))

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d): keys and values of all positions, one query, one row fed forward."""
        rows = torch.arange(len(x), device=x.device)
        normed = self.before_attention(x)
        here = self.attention.last(normed[rows, lengths - 1], normed, lengths)
        return self._feed(x[rows, lengths - 1] + self.dropout(here))

    def step(self, x: Tensor, cache: Cache, length: int) -> tuple[Tensor, Cache]:
        """x (B, d) after `length` items → (B, d) and the longer cache."""
        out, cache = self.attention.step(self.before_attention(x), cache, length)
        return self._feed(x + self.dropout(out)), cache

    def _feed(self, x: Tensor) -> Tensor:
        inner = self.dropout(F.relu(self.widen(self.before_feed(x))))
        return x + self.dropout(self.narrow(inner))


class SasRec(nn.Module):
    """The encoder: blocks of self-attention over item vectors with positions."""

    def __init__(self, settings: SasRecSettings) -> None:
        super().__init__()
        self.scale = math.sqrt(settings.width)
        self.positions = nn.Parameter(torch.randn(settings.max_length, settings.width) * INITIAL_SCALE)
        self.dropout = nn.Dropout(settings.dropout)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        x = self._placed(x, 0)
        for block in self._stack():
            x = block(x)
        return self.norm(x)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the blocks below the top one run over all positions."""
        x = self._placed(x, 0)
        *below, top = self._stack()
        for block in below:
            x = block(x)
        return self.norm(top.last(x, lengths))

    def start(self, batch: int) -> SasRecState:
        """An empty cache."""
        heads = self._stack()[0].attention.heads
        empty = self.positions.new_zeros(batch, heads, 0, self.positions.shape[1] // heads)
        return SasRecState([Cache(empty, empty) for _ in self.blocks], 0)

    def step(self, x: Tensor, state: SasRecState) -> tuple[Tensor, SasRecState]:
        """x (B, d) → (B, d) and the longer state.

        Raises ValueError when the window is full: then all positions shift, and the history must be encoded again.
        """
        x = self._placed(x[:, None], state.length)[:, 0]
        caches = []
        for block, cache in zip(self._stack(), state.caches, strict=True):
            x, cache = block.step(x, cache, state.length)
            caches.append(cache)
        return self.norm(x), SasRecState(caches, state.length + 1)

    def _placed(self, x: Tensor, first: int) -> Tensor:
        end = first + x.shape[1]
        if end > len(self.positions):
            raise ValueError(f"SASRec reads at most {len(self.positions)} items, not {end}")
        return self.dropout(x * self.scale + self.positions[first:end])

    def _stack(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))
