"""Spectrum of a history: how much of it comes back after p interactions, and how much chance alone would bring back.

The history is a sequence of vectors u_1 … u_L (L, d), centred: one-hot where the same items come back, so that each
item is a signal of its own, or item vectors where only what is alike does. Its power spectrum |X(f)|² is had by FFT;
the power at period p is the mean of it over the fundamental 1/p and its harmonics 2/p, 3/p, … (an impulse that recurs
has all of them, and one number per period is what a reader can use). By the Wiener–Khinchin theorem that mean equals

    power(p) = p / (p − 1) · (1 + 2 Σ_m R(m·p) / R(0)),       R(ℓ) = Σ_t ⟨u_t, u_{t−ℓ}⟩,

so a history without rhythm has power 1 on average at every period. `power_by_harmonics` is the plain twin.

The threshold comes from shuffled copies of the same history, standardised per period, and its level from the largest
excess at *any* period: only 5 % of shuffled histories cross it anywhere, so one peak above it means something. Each
copy is standardised by the others, as the history is: by a spread that it had widened itself, a copy would exceed less.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from scipy.fft import next_fast_len
from torch import Tensor

SHUFFLES = 100
LEVEL = 0.95
CHANNELS = 16  # principal directions kept; shuffling does not change them, so the test stays exact
LONGEST_PERIOD = 64
SHORTEST_HISTORY = 6  # below this no period has two cycles worth the name
_SEED = 20250504  # the same history always gets the same band


@dataclass(frozen=True)
class Periodogram:
    """One entry per period, in interactions, shortest first."""

    period: Tensor  # int64 (p,)
    power: Tensor  # (p,)
    threshold: Tensor  # (p,)


def periods_of(length: int) -> Tensor:
    """The periods a history of this length can show: from 2 to half its length. int64 (p,), empty when too short."""
    if length < SHORTEST_HISTORY:
        return torch.arange(0)
    return torch.arange(2, min(LONGEST_PERIOD, length // 2) + 1)


def periodogram(vectors: Tensor) -> Periodogram:
    """Power against period, and the band of shuffled histories. vectors (L, d), oldest first."""
    length = len(vectors)
    periods = periods_of(length)
    if not len(periods):
        return Periodogram(periods, torch.zeros(0), torch.zeros(0))
    centred = _principal(vectors - vectors.mean(0))
    power = _fold(_autocorrelation(centred[_orders(length)]), periods)  # (1 + shuffles, p)
    return Periodogram(periods, power[0], chance_level(power[1:]))


def chance_level(chance: Tensor) -> Tensor:
    """The level that only 5 % of shuffled copies exceed at any period, from the power of `SHUFFLES` copies (S, p)."""
    centre, spread = chance.mean(0), chance.std(0)
    excess = _excess_over_the_others(chance).amax(1).sort().values
    threshold = centre + excess[math.ceil(LEVEL * (SHUFFLES + 1)) - 1] * spread
    # where every order is the same history (one item over and over) nothing can stand out
    return torch.maximum(threshold, centre + 1e-4)


def power_by_harmonics(vectors: Tensor, periods: Tensor) -> Tensor:
    """The same power from its definition: mean of |X(h/p)|² over h = 1 … p−1, divided by Σ|u|². → (p,)."""
    centred = (vectors - vectors.mean(0)).double()
    time = torch.arange(len(centred), dtype=torch.float64)
    rows = []
    for period in periods.tolist():
        frequency = torch.arange(1, period, dtype=torch.float64) / period
        wave = torch.exp(-2j * torch.pi * frequency[:, None] * time)
        rows.append((wave @ centred.to(torch.complex128)).abs().square().sum() / (period - 1))
    return (torch.stack(rows) / centred.square().sum().clamp(min=1e-12)).float()


def gain_at(response: Tensor, periods: Tensor) -> Tensor:
    """Mean gain of a filter over the fundamental and harmonics of each period, relative to the largest: 0…1.

    response (W,), one tap a lag from 0; periods (p,) as `periods_of` gives them → (p,).
    """
    if not len(periods):
        return torch.zeros(0)
    waves, owner = _harmonics(len(response), int(periods[-1]))
    gains = torch.view_as_real(waves @ response.to(waves.dtype)).norm(dim=-1)
    total = torch.zeros(len(periods)).index_add_(0, owner, gains)
    mean = total / owner.bincount(minlength=len(periods))
    return mean / mean.max().clamp(min=1e-12)


@lru_cache(maxsize=64)
def _harmonics(taps: int, longest: int) -> tuple[Tensor, Tensor]:
    """Waves at h/p for every period p = 2 … longest and h = 1 … p/2: (n, W), and which period each belongs to: (n,)."""
    pairs = [(p - 2, h / p) for p in range(2, longest + 1) for h in range(1, p // 2 + 1)]
    owner = torch.tensor([place for place, _ in pairs])
    frequency = torch.tensor([f for _, f in pairs], dtype=torch.float64)
    phase = -2 * torch.pi * frequency[:, None] * torch.arange(taps)
    return torch.polar(torch.ones_like(phase), phase).to(torch.complex64), owner


def _excess_over_the_others(chance: Tensor) -> Tensor:
    """How many standard deviations of all other rows each row is above their mean. (S, p) → (S, p)."""
    count = len(chance)
    apart = chance - chance.mean(0)
    variance = ((count - 1) * chance.var(0) - apart.square() * count / (count - 1)) / (count - 2)
    return apart * count / (count - 1) / variance.clamp(min=1e-12).sqrt()


def _principal(centred: Tensor) -> Tensor:
    if min(centred.shape) <= CHANNELS:
        return centred
    left, strength, _ = torch.linalg.svd(centred, full_matrices=False)
    return left[:, :CHANNELS] * strength[:CHANNELS]


def _autocorrelation(signals: Tensor) -> Tensor:
    """R(ℓ) for ℓ = 0 … L−1, summed over channels. (S, L, c) → (S, L)."""
    length = signals.shape[1]
    size = next_fast_len(2 * length - 1, real=True)  # room for every lag; a large prime factor would be slow
    spectrum = torch.fft.rfft(signals.transpose(1, 2).contiguous(), n=size)
    power = torch.view_as_real(spectrum).square_().sum(1).sum(-1)  # in place: |X|², (S, f)
    return torch.fft.irfft(power, n=size)[:, :length]


def _fold(R: Tensor, periods: Tensor) -> Tensor:
    """(S, L) → (S, p)."""
    multiples = _multiples(R.shape[1], int(periods[-1]))
    # a centred history has nothing at f = 0: p − 1 harmonics share what a mean over p of them would dilute
    return (1 + 2 * (R @ multiples) / R[:, :1].clamp(min=1e-12)) * (periods / (periods - 1))


@lru_cache(maxsize=64)
def _orders(length: int) -> Tensor:
    """The order of a history as it is, and shuffled: (1 + S, L)."""
    shuffles = torch.rand(SHUFFLES, length, generator=torch.Generator().manual_seed(_SEED + length)).argsort(1)
    return torch.cat([torch.arange(length)[None], shuffles])


@lru_cache(maxsize=256)
def _multiples(length: int, longest: int) -> Tensor:
    """1 where a lag is a multiple of a period, for the periods 2 … longest: (L, p)."""
    lags, periods = torch.arange(length)[:, None], torch.arange(2, longest + 1)
    return ((lags % periods == 0) & (lags > 0)).float()
