"""WEARec (Xu et al. 2026): a frequency filter that adapts to the history, in parallel with one level of Haar wavelets.

    window  the newest N items, zeros before the first          N = max_length          F = N // 2 + 1 frequencies
    c       mean of the items of the window                     s, r = W₂ gelu(W₁ c): (heads, F) each
    global  = irfft((rfft(window) · a · (1 + s)) + b + r)       a, b learned for each head and frequency
    local   : items in pairs, newest pair last; mean ± w · half the difference, w learned
    x ← norm(dropout(α · global + (1 − α) · local) + x)         α fixed, as published
    x ← norm(feed(x) + x)

As published, both transforms run over the whole padded history, and only the last position is trained, with every
prefix of a history as a separate example: up to two hundred times as many. Our protocol trains all positions at once,
so the output at a position must not depend on later items. As in `bsarec.py`, position t uses the window that ends at
t, which is the input of the published layer for a history that ends at t. This has three consequences.

- The lower layers are causal too; as published, they use later items of the history.
- Every position is the last of its window. The published model has one wavelet weight for each pair of positions; here
  only that of the last pair is used.
- c is the mean over items only. The published mean includes padding; with a full window the two are equal.

At the end of the window, the filter is a weighted sum over lags, and each weight is a sum of cosines:

    global_t = Σ_j K(t, j) x_j + u_t        K(t, j) = Σ_f m_f g_f(t) cos(2π f (t − j) / N) / N
                                            u_t = Σ_f m_f (b_f + r_f(t)) cos(2π f / N) / √N
    g = a · (1 + s); m_f = 1 where f is 0 or N / 2, else 2

With cos(p − q) = cos p cos q + sin p sin q, the adaptive part of K is a product of two matrices.
"""

import math
from typing import Annotated, cast

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from m2rec.baselines.blocks.feed_forward import NORM_EPSILON, FeedForward
from m2rec.baselines.settings import BaselineSettings, Positive
from m2rec.model.items import INITIAL_SCALE

INITIAL_BIAS = -0.1  # b, as published


class WeaRecSettings(BaselineSettings):
    """Shape of WEARec; the defaults are the published ones for Amazon Beauty."""

    layers: Positive = 2
    heads: Positive = 8
    share: Annotated[float, Field(ge=0, le=1)] = 0.2  # α, of the global filter

    @model_validator(mode="after")
    def _divisible(self) -> "WeaRecSettings":
        if self.width % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide width ({self.width})")
        return self


class GlobalFilter(nn.Module):
    """The adaptive filter, evaluated at the end of each position's window."""

    waves: Tensor
    power: Tensor

    def __init__(self, settings: WeaRecSettings) -> None:
        super().__init__()
        self.heads, self.window = settings.heads, settings.max_length
        self.bins = self.window // 2 + 1  # F
        self.scale = nn.Parameter(torch.ones(self.heads, self.bins))  # a
        self.bias = nn.Parameter(torch.full((self.heads, self.bins), INITIAL_BIAS))  # b
        self.read = nn.Linear(settings.width, settings.width)
        self.adapt = nn.Linear(settings.width, 2 * self.heads * self.bins)
        for layer in (self.read, self.adapt):
            nn.init.normal_(layer.weight, std=INITIAL_SCALE)
            nn.init.zeros_(layer.bias)
        frequency = torch.arange(self.bins)
        # in double precision, reduced to one turn first: angles reach 2π · 100 · 200
        angle = (torch.arange(self.window)[:, None] * frequency % self.window).double() * (2 * math.pi / self.window)
        self.register_buffer("waves", torch.cat([angle.cos(), angle.sin()], -1).float(), persistent=False)  # (N, 2F)
        mirrored = (frequency > 0) & (2 * frequency < self.window)  # these occur twice in the full spectrum
        self.register_buffer("power", 1.0 + mirrored.float(), persistent=False)  # m, (F,)

    def forward(self, x: Tensor) -> Tensor:
        """All positions. x (B, L, d) → (B, L, d)."""
        length = x.shape[1]
        count = torch.arange(1, length + 1, device=x.device)[:, None]
        s, r = self._adapted(x.float().cumsum(1) / count)  # (B, L, heads, F)
        waves = self.waves[:length]
        adaptive = self._queries(s, waves[:, None]).transpose(1, 2) @ waves.T  # (B, heads, L, L)
        weights = (adaptive + self._fixed(length)).tril()
        heads = x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, L, d / heads)
        return ((weights @ heads.to(weights.dtype)).transpose(1, 2) + self._offset(r)[..., None]).flatten(-2)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only. x (B, L, d), lengths (B,) → (B, d)."""
        position = torch.arange(x.shape[1], device=x.device)
        real = (position < lengths[:, None])[..., None]
        s, r = self._adapted((x.float() * real).sum(1) / lengths[:, None])  # (B, heads, F)
        here = self.waves[lengths - 1]  # (B, 2F)
        adaptive = self._queries(s, here[:, None]) @ self.waves[: x.shape[1]].T  # (B, heads, L)
        lag = lengths[:, None] - 1 - position
        fixed = self._by_lag()[:, lag.clamp(min=0)].transpose(0, 1)  # (B, heads, L)
        weights = (adaptive + fixed) * real[..., 0][:, None]
        heads = x.unflatten(-1, (self.heads, -1))  # (B, L, heads, d / heads)
        filtered = torch.einsum("bhl,blhc->bhc", weights, heads.to(weights.dtype))
        return (filtered + self._offset(r)[..., None]).flatten(-2)

    def _adapted(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """c (…, d) → a · s and r, (…, heads, F) each."""
        both = self.adapt(F.gelu(self.read(context))).unflatten(-1, (self.heads, self.bins, 2))
        return both[..., 0] * self.scale, both[..., 1].float()

    def _queries(self, gains: Tensor, waves: Tensor) -> Tensor:
        """gains (…, heads, F), waves (…, 1, 2F) at the position → (…, heads, 2F); times `self.waves` this is K."""
        weighed = gains * (self.power / self.window)
        return torch.cat([weighed, weighed], dim=-1) * waves

    def _by_lag(self) -> Tensor:
        """Weights of the fixed part a, by lag: (heads, N)."""
        gains = self.scale * (self.power / self.window)
        return (gains[:, None] * self.waves[:, : self.bins]).sum(-1)  # a product of matrices would be rounded in bf16

    def _fixed(self, length: int) -> Tensor:
        """The weights of the fixed part, (heads, L, L); entries above the diagonal are meaningless."""
        lag = torch.arange(length, device=self.scale.device)
        return self._by_lag()[:, (lag[:, None] - lag).clamp(min=0)]

    def _offset(self, r: Tensor) -> Tensor:
        """u: (…, heads, F) → (…, heads)."""
        at_end = self.waves[1 % self.window, : self.bins] * self.power / math.sqrt(self.window)
        return (self.bias + r) @ at_end


class Layer(nn.Module):
    """Global filter and wavelets in parallel, then the position-wise network."""

    def __init__(self, settings: WeaRecSettings) -> None:
        super().__init__()
        self.share = settings.share
        self.filter = GlobalFilter(settings)
        self.detail = nn.Parameter(torch.randn(settings.width) * INITIAL_SCALE)  # w
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.feed = FeedForward(settings.width, settings.dropout, inner_dropout=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        before = F.pad(x, (0, 0, 1, -1))
        return self._mix(self.filter(x), before, x)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d)."""
        rows = torch.arange(len(x), device=x.device)
        before = F.pad(x, (0, 0, 1, 0))[rows, lengths - 1]
        return self._mix(self.filter.last(x, lengths), before, x[rows, lengths - 1])

    def _mix(self, filtered: Tensor, before: Tensor, x: Tensor) -> Tensor:
        """`before` is the item before x (zeros before the first): both are the last pair of the window."""
        local = 0.5 * (before + x) - self.detail * 0.5 * (before - x)
        return self.feed(self.norm(self.dropout(self.share * filtered + (1 - self.share) * local) + x))


class WeaRec(nn.Module):
    """The encoder: a stack of layers over item vectors with positions."""

    def __init__(self, settings: WeaRecSettings) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(settings.max_length, settings.width) * INITIAL_SCALE)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        x = self._placed(x)
        for layer in self._stack():
            x = layer(x)
        return x

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the layers below the top one run over all positions."""
        x = self._placed(x)
        *below, top = self._stack()
        for layer in below:
            x = layer(x)
        return top.last(x, lengths)

    def _placed(self, x: Tensor) -> Tensor:
        if x.shape[1] > len(self.positions):
            raise ValueError(f"WEARec reads at most {len(self.positions)} items, not {x.shape[1]}")
        return self.dropout(self.norm(x + self.positions[: x.shape[1]]))

    def _stack(self) -> list[Layer]:
        return cast(list[Layer], list(self.layers))
