"""BSARec (Shin et al. 2024): self-attention and a frequency rescaler in parallel; the frequency baseline.

    low(x)   = x with all but its lowest frequencies removed            high(x) = x − low(x)
    rescaled = norm(dropout(low(x) + β² high(x)) + x)                   β learned, one for each channel
    attended = norm(dropout(attention(x)) + x)
    x ← α · rescaled + (1 − α) · attended
    x ← norm(feed(x) + x)

As published, `low` is an FFT over the whole padded history, and only the last position is trained. When every position
is trained, that FFT would use future items. Here position t uses the FFT of the window that ends at t, with zeros
before the first item: the same as the published filter gives for the last position of a history that ends at t. At the
end of a window, the filter is a fixed weighted sum over lags.
"""

from typing import Annotated, cast

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from m2rec.baselines.blocks.feed_forward import NORM_EPSILON, FeedForward
from m2rec.baselines.sasrec import Attention
from m2rec.baselines.settings import BaselineSettings, Positive
from m2rec.model.items import INITIAL_SCALE


class BsaRecSettings(BaselineSettings):
    """Shape of BSARec; the defaults are the published ones for Amazon Beauty."""

    layers: Positive = 2
    heads: Positive = 1
    cutoff: Positive = 5  # c: the c // 2 + 1 lowest frequencies count as low
    share: Annotated[float, Field(ge=0, le=1)] = 0.7  # α, of the rescaler

    @model_validator(mode="after")
    def _consistent(self) -> "BsaRecSettings":
        if self.width % self.heads:
            raise ValueError(f"heads ({self.heads}) must divide width ({self.width})")
        if self.cutoff > self.max_length:
            raise ValueError(f"cutoff ({self.cutoff}) must not exceed max_length ({self.max_length})")
        return self


class Rescaler(nn.Module):
    """Keeps low frequencies and multiplies high ones by β²."""

    kernel: Tensor

    def __init__(self, settings: BsaRecSettings) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.randn(settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.register_buffer("kernel", low_pass(settings.max_length, settings.cutoff // 2 + 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """All positions. x (B, L, d) → (B, L, d)."""
        length = x.shape[1]
        lag = torch.arange(length, device=x.device)
        lag = lag[:, None] - lag
        toeplitz = self.kernel[lag.clamp(min=0)] * (lag >= 0)  # (L, L)
        return self._rescale(toeplitz @ x, x)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only. x (B, L, d), lengths (B,) → (B, d)."""
        lag = lengths[:, None] - 1 - torch.arange(x.shape[1], device=x.device)
        weights = self.kernel[lag.clamp(min=0)] * (lag >= 0)  # (B, L)
        low = (weights[:, None] @ x)[:, 0]
        return self._rescale(low, x[torch.arange(len(x), device=x.device), lengths - 1])

    def _rescale(self, low: Tensor, x: Tensor) -> Tensor:
        return self.norm(self.dropout(low + self.beta.square() * (x - low)) + x)


class Block(nn.Module):
    """Rescaler and attention in parallel, then the position-wise network."""

    def __init__(self, settings: BsaRecSettings) -> None:
        super().__init__()
        self.share = settings.share
        self.rescaler = Rescaler(settings)
        self.attention = Attention(settings.width, settings.heads, settings.dropout)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.feed = FeedForward(settings.width, settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        return self._mix(self.rescaler(x), self.attention(x), x)

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d)."""
        here = x[torch.arange(len(x), device=x.device), lengths - 1]
        return self._mix(self.rescaler.last(x, lengths), self.attention.last(here, x, lengths), here)

    def _mix(self, rescaled: Tensor, attended: Tensor, x: Tensor) -> Tensor:
        attended = self.norm(self.dropout(attended) + x)
        return self.feed(self.share * rescaled + (1 - self.share) * attended)


class BsaRec(nn.Module):
    """The encoder: a stack of blocks over item vectors with positions."""

    def __init__(self, settings: BsaRecSettings) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(settings.max_length, settings.width) * INITIAL_SCALE)
        self.norm = nn.LayerNorm(settings.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(settings.dropout)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        x = self._placed(x)
        for block in self._stack():
            x = block(x)
        return x

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the blocks below the top one run over all positions."""
        x = self._placed(x)
        *below, top = self._stack()
        for block in below:
            x = block(x)
        return top.last(x, lengths)

    def _placed(self, x: Tensor) -> Tensor:
        if x.shape[1] > len(self.positions):
            raise ValueError(f"BSARec reads at most {len(self.positions)} items, not {x.shape[1]}")
        return self.dropout(self.norm(x + self.positions[: x.shape[1]]))

    def _stack(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))


def low_pass(window: int, bins: int) -> Tensor:
    """A filter that keeps the `bins` lowest frequencies of a window, as weights by lag. → (window,)."""
    kept = torch.zeros(window // 2 + 1)
    kept[:bins] = 1
    return torch.fft.irfft(kept, n=window)
