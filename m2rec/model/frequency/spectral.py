"""Frequency branch over item vectors: an adaptive FFT filter, learned in the frequency domain, causal by construction.

For worlds in which no item is chosen twice and *similar* items recur. Where the same item recurs, `periodic.py` is more
precise.

Glossary
    û_t   item vector at t, unit length          q_t   the same, narrowed to the identity width, again of unit length
    H_b   learned complex transfer function of band b, at the bins of a 2W-point FFT
    k_b   its impulse response, irfft(H_b), cut to lags 1…W−1: zero at lag 0, zero for the future
    F_b   q filtered by band b                             a_b   the band's gain, by content, ≥ 0
    y_t = Σ_b a_b(t) · (k_b * û)(t)

A band starts as a comb at one period (impulses one, two, three … periods before the *next* item, so period p is lag
p − 1) or as a slow trend; training changes H. A band's gain at t depends on two things, both causal:

* coherence: the energy of F_b(t). If the last cycles held the same item at this phase they add up, else they cancel;
* record: how well the band's past outputs agreed with the items after them, averaged over `agreement_scale`
  interactions.

So a band without a match in this history is attenuated as noise, and one with a match is passed (the paper's "adaptive"
filter). Lag 0 is zero: the branch does not read the current item, so it does not overlap with the temporal branch.
Overlapping branches make the gate unidentifiable.

`filter = "low-pass"` is the ablation without all of this: the plain filter of the authors'
released code (snapshot of October 2025): an FFT whose frequencies below a tenth (periods longer than ten) are kept and
the others dropped, nothing learned, and the same for every history. Three things had to differ from theirs:

* it filters item vectors along the history, as the paper describes it; theirs filters Δ along the channels;
* position t is given the FFT of the W interactions that end at t, zeros before the first. All positions are trained at
  once, and an FFT of the whole sequence would leak the future into each. Read at its end, a window's filter is a fixed
  weighted sum over lags, the current item's (lag 0) among them;
* it has unit energy, at which every band here starts. Its gain and the matrix after it are learned.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.branch import BranchInput, BranchOutput, SoftmaxBranch
from m2rec.model.config import ModelConfig
from m2rec.model.constants import CUTOFF, FILTER_EPSILON
from m2rec.model.frequency.filters import (
    comb,
    filter_adaptively,
    filter_bank,
    impulse_response,
    low_pass,
    transfer_function,
)
from m2rec.model.softmax import SoftmaxHead
from m2rec.model.temporal.scan import scan_chunked

COMB_DECAY = 0.85  # weight of one cycle further back, at the start of training


@dataclass
class SpectralState:
    """State of the branch between items; its size does not depend on the history's length."""

    vectors: Tensor  # (B, W, d), the newest W unit vectors, newest last
    identities: Tensor  # (B, W, q)
    predicted: Tensor  # (B, b, q), what each band's output was before the newest item
    record: Tensor  # (B, 1, b, 1), decayed sum of agreements
    weight: Tensor  # (B, 1, 1, 1), decayed count


class SpectralBranch(SoftmaxBranch, nn.Module):
    """Unit item vectors in, frequency evidence out."""

    log_forget: Tensor
    fixed: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.taps = config.filter_length  # W
        self.plain = config.filter == "low-pass"
        self.adaptive = config.adaptive_filter and not self.plain
        # a trend has no period
        trend = float("inf")
        if self.plain:
            self.band_periods: tuple[float, ...] = (trend,)
            self.register_buffer("fixed", fft_low_pass(self.taps)[None], persistent=False)  # (1, W)
        else:
            self.band_periods = (*map(float, config.periods), *(trend for _ in config.trend_scales))
            self.transfer = nn.Parameter(transfer_function(_initial_kernels(config)))  # H: (b, W + 1, 2)
        self.bands = len(self.band_periods)
        self.identity = nn.Linear(config.width, config.identity_width, bias=False)
        self.features = 2  # f
        hidden = 16
        self.gain_in = nn.Parameter(torch.randn(self.bands, self.features, hidden) * 0.5)
        self.gain_in_bias = nn.Parameter(torch.zeros(self.bands, hidden))
        self.gain_out = nn.Parameter(torch.randn(self.bands, hidden) * 0.1)
        self.gain_out_bias = nn.Parameter(torch.zeros(self.bands))
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)  # of the inputs alone: the output's length is evidence
        self.softmax, self.warm = self.head(config), config.warm_items
        self.evidence_width = 2 * self.bands + 1
        nn.init.eye_(self.out.weight)
        nn.init.orthogonal_(self.identity.weight)
        self.register_buffer("log_forget", torch.tensor(-1.0 / config.agreement_scale), persistent=False)

    @staticmethod
    def head(config: ModelConfig) -> SoftmaxHead:
        """Not normed, because the size of the output is evidence; popularity has no weight at first."""
        return SoftmaxHead(config, normed=False, popularity=0.0)

    def kernels(self) -> Tensor:
        """Impulse responses k: (b, W), zero at lag 0; the plain low-pass is not."""
        if self.plain:
            return self.fixed
        response = impulse_response(self.transfer)
        return response * _after_now(self.taps, response.device)

    def read(self, given: BranchInput) -> BranchOutput:
        """All positions."""
        return self(self._inputs(given), given.band_keep)

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        """The last real position only."""
        return self.last(self._inputs(given), lengths, given.band_keep)

    def read_step(self, given: BranchInput, state: SpectralState) -> tuple[BranchOutput, SpectralState]:
        """One more item."""
        return self.step(self._inputs(given), state, given.band_keep)

    def _inputs(self, given: BranchInput) -> Tensor:
        inputs: Tensor = self.dropout(F.embedding(given.items, given.table.unit))
        return inputs

    def forward(self, u: Tensor, band_keep: Tensor | None = None) -> BranchOutput:
        """All positions. u (B, L, d) unit vectors, zero at padding; band_keep (b,) 0/1 mutes bands. → (B, L, …)."""
        with torch.autocast(u.device.type, enabled=False):
            u = u.float()
            length = u.shape[1]
            kernels = self.kernels()
            q = self._identity(u)
            filtered = filter_bank(q, kernels)  # F: (B, L, b, q)
            agreement = (filtered[:, :-1] * q[:, 1:, None]).sum(-1)  # (B, L − 1, b)
            agreement = F.pad(agreement, (0, 0, 1, 0))
            forget = self.log_forget.expand(u.shape[0], length, 1)
            ones = u.new_ones(u.shape[0], length, 1)
            both = torch.cat([agreement, ones], dim=-1)[:, :, None]  # (B, L, 1, b + 1)
            sums = scan_chunked(both, forget, ones, ones)[:, :, 0]
            record = sums[..., :-1] / sums[..., -1:]
            gains, coherence = self._gains(filtered, record, kernels, band_keep)
            y = filter_adaptively(u, gains, kernels)
            if not self.plain:  # there is nothing before the first item; an FFT leaves rounding there
                y = F.pad(y[:, 1:], (0, 0, 1, 0))
            return self._finish(y, gains, coherence)

    def last(self, u: Tensor, lengths: Tensor, band_keep: Tensor | None = None) -> BranchOutput:
        """The last real position only: one windowed sum a band, one autocorrelation. u (B, L, d) → (B, …)."""
        kernels = self.kernels()
        q = self._identity(u)
        rows = torch.arange(len(u), device=u.device)[:, None]
        lags = torch.arange(self.taps, device=u.device)
        at = lengths[:, None] - 1 - lags  # (B, W)
        inside = (at >= 0)[..., None]
        recent_u = u[rows, at.clamp(min=0)] * inside
        recent_q = q[rows, at.clamp(min=0)] * inside
        filtered = torch.einsum("kw,bwq->bkq", kernels, recent_q)
        record = self._record_by_autocorrelation(q, lengths, kernels)
        gains, coherence = self._gains(filtered, record, kernels, band_keep)
        y = torch.einsum("bw,bwd->bd", gains @ kernels, recent_u)
        return self._finish(y, gains, coherence)

    def step(
        self, u: Tensor, state: SpectralState, band_keep: Tensor | None = None
    ) -> tuple[BranchOutput, SpectralState]:
        """One more item. u (B, d) → (B, …) and the new state."""
        kernels = self.kernels()
        q = self._identity(u)
        agreement = (state.predicted * q[:, None]).sum(-1)[:, None, :, None]  # (B, 1, b, 1)
        decay = self.log_forget.exp()
        record = state.record * decay + agreement
        weight = state.weight * decay + 1
        vectors = torch.cat([state.vectors[:, 1:], u[:, None]], dim=1)
        identities = torch.cat([state.identities[:, 1:], q[:, None]], dim=1)
        reversed_kernels = kernels.flip(-1)  # newest last
        filtered = torch.einsum("kw,bwq->bkq", reversed_kernels, identities)
        gains, coherence = self._gains(filtered, (record / weight)[:, 0, :, 0], kernels, band_keep)
        y = torch.einsum("bw,bwd->bd", gains @ reversed_kernels, vectors)
        return self._finish(y, gains, coherence), SpectralState(vectors, identities, filtered, record, weight)

    def start(self, batch: int) -> SpectralState:
        """The state before the first item."""
        zeros = self.gain_out_bias.new_zeros
        return SpectralState(
            zeros(batch, self.taps, self.out.in_features),
            zeros(batch, self.taps, self.identity.out_features),
            zeros(batch, self.bands, self.identity.out_features),
            zeros(batch, 1, self.bands, 1),
            zeros(batch, 1, 1, 1),
        )

    def _identity(self, u: Tensor) -> Tensor:
        q = self.identity(u)
        return q / (q.norm(dim=-1, keepdim=True) + FILTER_EPSILON)

    def _gains(
        self, filtered: Tensor, record: Tensor, kernels: Tensor, band_keep: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """F (…, b, q) and the record (…, b) → gains (…, b) ≥ 0, coherence (…, b)."""
        scale = kernels.square().sum(-1) + FILTER_EPSILON  # energy of an incoherent history
        coherence = (filtered.square().sum(-1) + FILTER_EPSILON).div(scale).log1p()
        features = torch.stack([coherence, record / scale.sqrt()], dim=-1)
        if not self.adaptive:
            features = torch.zeros_like(features)
        hidden: Tensor = self.gain_in_bias
        for index, part in enumerate(features.unbind(-1)):  # one at a time: no tensor of (…, b, f, 16)
            hidden = hidden + part[..., None] * self.gain_in[:, index]
        hidden = F.gelu(hidden)  # (…, b, 16)
        gains = F.softplus((hidden * self.gain_out).sum(-1) + self.gain_out_bias)
        return (gains if band_keep is None else gains * band_keep), features[..., 0]

    def _finish(self, y: Tensor, gains: Tensor, coherence: Tensor) -> BranchOutput:
        strength = y.norm(dim=-1, keepdim=True).log1p()
        return BranchOutput(self.out(y), torch.cat([gains, coherence, strength], dim=-1), {"gains": gains})

    def _record_by_autocorrelation(self, q: Tensor, lengths: Tensor, kernels: Tensor) -> Tensor:
        """Σ_τ w_τ ⟨F_b(τ−1), q_τ⟩ = Σ_j k_b(j) R(j + 1), R the decayed autocorrelation of q, computed by FFT."""
        length = q.shape[1]
        age = lengths[:, None] - 1 - torch.arange(length, device=q.device)  # (B, L)
        weight = (age * self.log_forget).exp() * (age >= 0)
        size = length + self.taps + 1
        spectrum = torch.fft.rfft(q * (age >= 0)[..., None], n=size, dim=1)
        weighted = torch.fft.rfft(q * weight[..., None], n=size, dim=1)
        R = torch.fft.irfft((spectrum.conj() * weighted).sum(-1), n=size, dim=1)  # R(j) = Σ_τ w_τ ⟨q_{τ−j}, q_τ⟩
        return R[:, 1 : self.taps + 1] @ kernels.T / weight.sum(-1, keepdim=True)


def fft_low_pass(taps: int) -> Tensor:
    """Weight of the item `lag` places back when a window's FFT is cut to its lowest frequencies: (W,), unit energy."""
    kept = torch.zeros(taps // 2 + 1)
    kept[: max(1, int(CUTOFF * taps))] = 1
    kernel = torch.fft.irfft(kept, n=taps)
    return kernel / kernel.norm()


def _after_now(taps: int, device: torch.device) -> Tensor:
    return F.pad(torch.ones(taps - 1, device=device), (1, 0))


def _initial_kernels(config: ModelConfig) -> Tensor:
    """Combs at `periods`, then low-pass responses at `trend_scales`: (b, W), each of unit energy, zero at lag 0."""
    taps = config.filter_length
    rows = [comb(period, taps, COMB_DECAY) for period in config.periods]
    rows += [low_pass(scale, taps) for scale in config.trend_scales]
    kernels = torch.stack(rows)
    return kernels / kernels.norm(dim=-1, keepdim=True)
