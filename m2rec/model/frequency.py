"""Frequency branch: an adaptive FFT filter over the sequence, learned in the frequency domain, causal by construction.

Glossary
    û_t   item vector at t, unit length          q_t   the same, narrowed to the identity width, again of unit length
    H_b   learned complex transfer function of band b, at the bins of a 2W-point FFT
    k_b   its impulse response, irfft(H_b), cut to lags 1…W−1: zero at lag 0, zero for the future
    F_b   q filtered by band b                             a_b   the band's gain, by content, ≥ 0
    y_t = Σ_b a_b(t) · (k_b * û)(t)

A band starts as a comb at one period (impulses one, two, three … periods before the *next* item, so period p is lag
p − 1) or as a slow trend; learning happens on H. Two things decide a band's gain at t, both causal:

* coherence: the energy of F_b(t). If the last cycles held the same item at this phase they add up, else they cancel;
* record: how well the band's past outputs agreed with what then came, averaged over `memory` interactions.

With `due_items` each periodic band also looks at the one item that it holds to be due, the one seen a period ago:

* match: how much of F_b(t) is that item (it came back at this phase);
* density: how much of the slow trend is that item (it comes often anyway, so its coming back says little).

With `strict_frequency` the trends only serve this comparison and do not pass to y. What one keeps buying anyway is
taste, and a branch that can say so need not look for rhythms: its gate would open on tastes as well.

So a band that finds no rhythm in this history is turned down as noise, and one that does is kept (the paper's
"adaptive" filter). Nothing passes at lag 0: the branch cannot see the current item and so cannot do the temporal
branch's work; without that restriction the gate has nothing to tell apart.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.config import ModelConfig
from m2rec.model.scan import scan_chunked

EPSILON = 1e-6
COMB_DECAY = 0.85  # weight of one cycle further back, at the start of training
LONGEST_FOR_MATMUL = 512  # above this many positions the FFT is the faster way to filter


@dataclass
class FrequencyState:
    """What the branch carries from item to item; its size does not depend on the history's length."""

    vectors: Tensor  # (B, W, d), the newest W unit vectors, newest last
    identities: Tensor  # (B, W, q)
    predicted: Tensor  # (B, b, q), what each band's output was before the newest item
    record: Tensor  # (B, 1, b, 1), decayed sum of agreements
    weight: Tensor  # (B, 1, 1, 1), decayed count


@dataclass
class FrequencyOut:
    """y (…, d), the bands' gains (…, b), and what the gate may look at (…, e)."""

    y: Tensor
    gains: Tensor
    evidence: Tensor


class FrequencyBranch(nn.Module):
    """Unit item vectors in, frequency evidence out."""

    passes: Tensor
    due_lags: Tensor
    log_forget: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.taps = config.filter_length  # W
        self.adaptive = config.adaptive_filter
        self.bands = len(config.periods) + len(config.trend_scales)
        # a trend has no period: it lies beyond every one that the filter can hold
        self.band_periods = (*map(float, config.periods), *(float("inf") for _ in config.trend_scales))
        kernels = _initial_kernels(config)
        spectrum = torch.fft.rfft(kernels, n=2 * self.taps)
        self.transfer = nn.Parameter(torch.view_as_real(spectrum).clone())  # H: (b, W + 1, 2)
        # the bias takes out what all items have in common, which would make any two of them look alike
        self.narrow = nn.Linear(config.width, config.identity_width, bias=config.due_items)
        self.due_items = config.due_items and bool(config.periods) and bool(config.trend_scales)
        self.features = 4 if self.due_items else 2  # f
        hidden = 16
        self.read = nn.Parameter(torch.randn(self.bands, self.features, hidden) * 0.5)
        self.read_bias = nn.Parameter(torch.zeros(self.bands, hidden))
        self.decide = nn.Parameter(torch.randn(self.bands, hidden) * 0.1)
        self.decide_bias = nn.Parameter(torch.zeros(self.bands))
        self.out = nn.Linear(config.width, config.width, bias=False)
        nn.init.eye_(self.out.weight)
        nn.init.orthogonal_(self.narrow.weight)
        if config.due_items:
            nn.init.zeros_(self.narrow.bias)
        due = torch.tensor([period - 1 for period in config.periods], dtype=torch.long)
        passes = torch.ones(self.bands)
        if config.strict_frequency:
            passes[len(config.periods) :] = 0
        self.register_buffer("passes", passes, persistent=False)
        self.register_buffer("due_lags", due, persistent=False)  # the item a period before the next one
        self.slowest = len(config.periods) + max(
            range(len(config.trend_scales)), key=config.trend_scales.__getitem__, default=-1
        )
        self.register_buffer("log_forget", torch.tensor(-1.0 / config.memory), persistent=False)

    @property
    def evidence_width(self) -> int:
        """Width of `FrequencyOut.evidence`."""
        return (3 if self.due_items else 2) * self.bands + 1

    def kernels(self) -> Tensor:
        """Impulse responses k: (b, W), zero at lag 0."""
        with torch.autocast(self.transfer.device.type, enabled=False):
            response = torch.fft.irfft(torch.view_as_complex(self.transfer.float()), n=2 * self.taps)[:, : self.taps]
        return response * _after_now(self.taps, response.device)

    def forward(self, u: Tensor, keep: Tensor | None = None) -> FrequencyOut:
        """All positions. u (B, L, d) unit vectors, zero at padding; keep (b,) 0/1 mutes bands. → (B, L, …)."""
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
            due = _delayed(q, self.due_lags) if self.due_items else None
            gains, features = self._gains(filtered, record, due, kernels, keep)
            y = filter_adaptively(u, gains, kernels)
            y = F.pad(y[:, 1:], (0, 0, 1, 0))  # nothing came before the first item; an FFT leaves rounding there
            return self._finish(y, gains, features)

    def last(self, u: Tensor, lengths: Tensor, keep: Tensor | None = None) -> FrequencyOut:
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
        gains, features = self._gains(filtered, record, recent_q[:, self.due_lags], kernels, keep)
        y = torch.einsum("bw,bwd->bd", gains @ kernels, recent_u)
        return self._finish(y, gains, features)

    def step(self, u: Tensor, state: FrequencyState, keep: Tensor | None = None) -> tuple[FrequencyOut, FrequencyState]:
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
        due = identities[:, self.taps - 1 - self.due_lags]
        gains, features = self._gains(filtered, (record / weight)[:, 0, :, 0], due, kernels, keep)
        y = torch.einsum("bw,bwd->bd", gains @ reversed_kernels, vectors)
        return self._finish(y, gains, features), FrequencyState(vectors, identities, filtered, record, weight)

    def start(self, batch: int) -> FrequencyState:
        """The state before the first item."""
        zeros = self.decide_bias.new_zeros
        return FrequencyState(
            zeros(batch, self.taps, self.out.in_features),
            zeros(batch, self.taps, self.narrow.out_features),
            zeros(batch, self.bands, self.narrow.out_features),
            zeros(batch, 1, self.bands, 1),
            zeros(batch, 1, 1, 1),
        )

    def _identity(self, u: Tensor) -> Tensor:
        q = self.narrow(u)
        return q / (q.norm(dim=-1, keepdim=True) + EPSILON)

    def _gains(
        self, filtered: Tensor, record: Tensor, due: Tensor | None, kernels: Tensor, keep: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """F (…, b, q), the record (…, b) and due items (…, periods, q) → gains (…, b) ≥ 0, features (…, b, f)."""
        scale = kernels.square().sum(-1) + EPSILON  # energy of an incoherent history
        coherence = (filtered.square().sum(-1) + EPSILON).div(scale).log1p()
        parts = [coherence, record / scale.sqrt()]
        if self.due_items and due is not None:
            trends = self.bands - due.shape[-2]  # a trend holds nothing to be due
            match = (due * filtered[..., : due.shape[-2], :]).sum(-1) / scale[: due.shape[-2]].sqrt()
            density = (due * filtered[..., self.slowest, None, :]).sum(-1) / scale[self.slowest].sqrt()
            parts += [F.pad(match, (0, trends)), F.pad(density, (0, trends))]
        features = torch.stack(parts, dim=-1)
        if not self.adaptive:
            features = torch.zeros_like(features)
        hidden: Tensor = self.read_bias
        for index, part in enumerate(features.unbind(-1)):  # one at a time: no tensor of (…, b, f, 16)
            hidden = hidden + part[..., None] * self.read[:, index]
        hidden = F.gelu(hidden)  # (…, b, 16)
        gains = F.softplus((hidden * self.decide).sum(-1) + self.decide_bias) * self.passes
        return (gains if keep is None else gains * keep), features

    def _finish(self, y: Tensor, gains: Tensor, features: Tensor) -> FrequencyOut:
        strength = y.norm(dim=-1, keepdim=True).log1p()
        shown = [features[..., 0], features[..., 2]] if self.due_items else [features[..., 0]]
        evidence = torch.cat([gains, *shown, strength], dim=-1)
        return FrequencyOut(self.out(y), gains, evidence)

    def _record_by_autocorrelation(self, q: Tensor, lengths: Tensor, kernels: Tensor) -> Tensor:
        """Σ_τ w_τ ⟨F_b(τ−1), q_τ⟩ = Σ_j k_b(j) R(j + 1), where R is the decayed autocorrelation of q, had by FFT."""
        length = q.shape[1]
        age = lengths[:, None] - 1 - torch.arange(length, device=q.device)  # (B, L)
        weight = (age * self.log_forget).exp() * (age >= 0)
        size = length + self.taps + 1
        spectrum = torch.fft.rfft(q * (age >= 0)[..., None], n=size, dim=1)
        weighted = torch.fft.rfft(q * weight[..., None], n=size, dim=1)
        R = torch.fft.irfft((spectrum.conj() * weighted).sum(-1), n=size, dim=1)  # R(j) = Σ_τ w_τ ⟨q_{τ−j}, q_τ⟩
        return R[:, 1 : self.taps + 1] @ kernels.T / weight.sum(-1, keepdim=True)


def filter_bank(q: Tensor, kernels: Tensor) -> Tensor:
    """Every band over every position: causal convolution of q (B, L, c) with kernels (b, W) → (B, L, b, c)."""
    length = q.shape[1]
    if length > LONGEST_FOR_MATMUL:
        return filter_bank_fft(q, kernels)
    toeplitz = _toeplitz(kernels, length)  # (b, L, L)
    batch, _, width = q.shape
    flat = toeplitz.transpose(0, 1).reshape(-1, length) @ q.transpose(0, 1).reshape(length, -1)
    return flat.reshape(length, len(kernels), batch, width).permute(2, 0, 1, 3)


def filter_bank_fft(q: Tensor, kernels: Tensor) -> Tensor:
    """The same through the FFT, zero-padded so that nothing wraps round: linear in L up to a logarithm."""
    length = q.shape[1]
    size = length + kernels.shape[1]
    product = torch.fft.rfft(q, n=size, dim=1)[:, :, None] * torch.fft.rfft(kernels, n=size).T[None, :, :, None]
    return torch.fft.irfft(product, n=size, dim=1)[:, :length]


def filter_adaptively(u: Tensor, gains: Tensor, kernels: Tensor) -> Tensor:
    """y_t = Σ_b gains_b(t) (k_b * u)(t). u (B, L, d), gains (B, L, b), kernels (b, W) → (B, L, d)."""
    length = u.shape[1]
    if length > LONGEST_FOR_MATMUL:
        bands = zip(gains.unbind(-1), kernels, strict=True)  # one band at a time: all at once would not fit
        return torch.stack([gain[..., None] * filter_bank_fft(u, k[None])[:, :, 0] for gain, k in bands]).sum(0)
    response = gains @ kernels  # (B, L, W), the filter in force at each position
    lag = torch.arange(length, device=u.device)
    lag = lag[:, None] - lag  # (t, s) → t − s
    reachable = (lag >= 0) & (lag < kernels.shape[1])
    banded = response.gather(-1, lag.clamp(0, kernels.shape[1] - 1).expand(len(u), -1, -1)) * reachable
    return banded @ u


def _delayed(q: Tensor, lags: Tensor) -> Tensor:
    """q_{t − lag} for every t and lag, zero before the start. (B, L, c), (n,) → (B, L, n, c)."""
    longest = int(lags.max())
    padded = F.pad(q, (0, 0, longest, 0))
    length = q.shape[1]
    return torch.stack([padded[:, longest - lag : longest - lag + length] for lag in lags.tolist()], dim=2)


def _toeplitz(kernels: Tensor, length: int) -> Tensor:
    """(b, W) → (b, L, L) with [b, t, s] = k_b(t − s), zero above the diagonal and beyond W."""
    padded = F.pad(kernels[:, :length], (length, max(0, length - kernels.shape[1])))  # index length + lag
    lag = torch.arange(length, device=kernels.device)
    return padded[:, length + lag[:, None] - lag]


def _after_now(taps: int, device: torch.device) -> Tensor:
    mask = torch.ones(taps, device=device)
    mask[0] = 0
    return mask


def _initial_kernels(config: ModelConfig) -> Tensor:
    """Combs at `periods`, then low-pass responses at `trend_scales`: (b, W), each of unit energy, zero at lag 0."""
    rows = []
    for period in config.periods:
        row = torch.zeros(config.filter_length)
        marks = torch.arange(period - 1, config.filter_length, period)
        row[marks] = COMB_DECAY ** torch.arange(len(marks), dtype=torch.float)
        rows.append(row)
    for scale in config.trend_scales:
        row = ((1 - torch.arange(config.filter_length)) / scale).exp()  # 1 at lag 1, so that no scale is too short
        row[0] = 0
        rows.append(row)
    kernels = torch.stack(rows)
    return kernels / kernels.norm(dim=-1, keepdim=True)
