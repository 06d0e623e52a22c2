"""Spectrum of a history: how much of it recurs after p interactions, and how much would recur by chance.

The history is a sequence of vectors u_1 … u_L (L, d), centred. Where the same items recur, each is a separate signal, 1
where it occurs (`item_periodogram`); items that occur once have no period and are left out. Where only similar items
recur, u are item vectors in their principal directions (`periodogram`). The power at period p is the mean of the power
spectrum |X(f)|² over the fundamental 1/p and its harmonics 2/p, 3/p, … (an impulse that recurs has all of them, and one
number per period is readable). By the Wiener–Khinchin theorem that mean equals

    power(p) = p / (p − 1) · (1 + 2 Σ_m R(m·p) / R(0)),       R(ℓ) = Σ_t ⟨u_t, u_{t−ℓ}⟩,

so a history without rhythm has power 1 on average at every period. R is computed by FFT; for rare items it is quicker
to count the pairs of their occurrences by distance. `power_by_harmonics` is the plain twin of both.

The threshold comes from shuffled copies of the same history, standardised per period, and its level from the largest
excess at *any* period: only 5 % of shuffled histories cross it anywhere, so one peak above it is significant. Each copy
is standardised by the others, as the history is: a spread that includes itself would understate its excess.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SHUFFLES = 100
LEVEL = 0.95
CHANNELS = 16  # principal directions kept; shuffling does not change them, so the test stays exact
LONGEST_PERIOD = 64
SHORTEST_HISTORY = 6  # below this no period has two full cycles
FREQUENT = 3.0  # × √L occurrences, from which an FFT is quicker than counting pairs
PAIRS_AT_ONCE = 1 << 18  # 1 MiB of distances: what a cache holds
TINY = 1e-12
_SEED = 20250504  # the same history always gets the same band


@dataclass(frozen=True)
class Periodogram:
    """One entry per period, in interactions, shortest first."""

    period: np.ndarray  # int64 (p,)
    power: np.ndarray  # (p,)
    threshold: np.ndarray  # (p,)


def periods_of(length: int) -> np.ndarray:
    """The periods a history of this length can show: from 2 to half its length. int64 (p,), empty when too short."""
    if length < SHORTEST_HISTORY:
        return np.arange(0)
    return np.arange(2, min(LONGEST_PERIOD, length // 2) + 1)


def periodogram(vectors: np.ndarray) -> Periodogram:
    """Power against period, and the band of shuffled histories. vectors (L, d), oldest first."""
    if len(vectors) < SHORTEST_HISTORY:
        return _from_autocorrelation(np.zeros((0, len(vectors))))
    centred = principal(vectors - vectors.mean(0), CHANNELS)
    return _from_autocorrelation(_autocorrelation(centred[_orders(len(vectors))]))


def item_periodogram(items: np.ndarray) -> Periodogram:
    """The same of a history whose recurring items are a signal each. items int (L,), any numbers, oldest first."""
    if len(items) < SHORTEST_HISTORY:
        return _from_autocorrelation(np.zeros((0, len(items))))
    return _from_autocorrelation(_item_autocorrelation(items))


def item_signals(items: np.ndarray) -> np.ndarray:
    """The signals of `item_periodogram`. items int (L,) → float64 (L, n), 1 where that item occurs.

    Only items that occur twice or more; all of them where none does.
    """
    _, which, counts = np.unique(items, return_inverse=True, return_counts=True)
    recurring = counts > 1 if (counts > 1).any() else counts > 0
    return np.eye(len(counts))[which][:, recurring]


def _from_autocorrelation(R: np.ndarray) -> Periodogram:
    """R (1 + shuffles, L): of the history and its shuffled copies."""
    periods = periods_of(R.shape[1])
    if not len(periods):
        return Periodogram(periods, np.zeros(0), np.zeros(0))
    power = _fold(R, periods)  # (1 + shuffles, p)
    return Periodogram(periods, power[0], chance_level(power[1:]))


def chance_level(chance: np.ndarray) -> np.ndarray:
    """The level that only 5 % of shuffled copies exceed at any period, from the power of `SHUFFLES` copies (S, p)."""
    centre, spread = chance.mean(0), chance.std(0, ddof=1)
    excess = np.sort(_excess_over_the_others(chance).max(1))
    threshold = centre + excess[math.ceil(LEVEL * (SHUFFLES + 1)) - 1] * spread
    # where every order is the same history (one item over and over) nothing is significant
    return np.maximum(threshold, centre + 1e-4)


def power_by_harmonics(vectors: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """The same power from its definition: mean of |X(h/p)|² over h = 1 … p−1, divided by Σ|u|². → (p,)."""
    centred = (vectors - vectors.mean(0)).astype(np.float64)
    time = np.arange(len(centred))
    rows = []
    for period in periods.tolist():
        wave = np.exp(-2j * np.pi * np.arange(1, period)[:, None] / period * time)
        rows.append((np.abs(wave @ centred) ** 2).sum() / (period - 1))
    return np.array(rows) / max((centred**2).sum(), TINY)


def gain_at(response: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Mean gain of a filter over the fundamental and harmonics of each period, relative to the largest: 0…1.

    response (W,), one tap a lag from 0; periods (p,) as `periods_of` gives them → (p,).
    """
    if not len(periods):
        return np.zeros(0)
    waves, starts = _harmonics(len(response), int(periods[-1]))
    total = np.add.reduceat(np.abs(waves @ response), starts)
    mean = total / (periods // 2)
    return mean / max(mean.max(), TINY)


@lru_cache(maxsize=64)
def _harmonics(taps: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Waves at h/p for every period p = 2 … longest and h = 1 … p/2: (n, W), and where each period's begin: (p,)."""
    counts = np.arange(2, longest + 1) // 2
    frequency = np.array([h / p for p in range(2, longest + 1) for h in range(1, p // 2 + 1)])
    waves = np.exp(-2j * np.pi * frequency[:, None] * np.arange(taps)).astype(np.complex64)
    return waves, np.cumsum(counts) - counts


def _excess_over_the_others(chance: np.ndarray) -> np.ndarray:
    """How many standard deviations of all other rows each row is above their mean. (S, p) → (S, p)."""
    count = len(chance)
    apart = chance - chance.mean(0)
    variance = ((count - 1) * chance.var(0, ddof=1) - apart**2 * count / (count - 1)) / (count - 2)
    return apart * count / (count - 1) / np.sqrt(np.maximum(variance, TINY))


def principal(centred: np.ndarray, channels: int) -> np.ndarray:
    """A centred history in its first principal directions. (L, d) → (L, ≤ channels)."""
    if min(centred.shape) <= channels:
        return centred
    left, strength, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :channels] * strength[:channels]


def _autocorrelation(signals: np.ndarray) -> np.ndarray:
    """R(ℓ) for ℓ = 0 … L−1, summed over channels. (S, L, c) → (S, L)."""
    length = signals.shape[1]
    size = _next_fast_length(2 * length - 1)  # zero-padded for every lag, so that nothing wraps round
    spectrum = np.fft.rfft(signals.transpose(0, 2, 1), n=size)
    power = (spectrum.real**2 + spectrum.imag**2).sum(1)  # |X|², (S, f)
    return np.fft.irfft(power, n=size)[:, :length]


def _item_autocorrelation(items: np.ndarray) -> np.ndarray:
    """R(ℓ) of `item_signals`, centred, for ℓ = 0 … L−1: of the history and its shuffled copies. → (1 + S, L).

    Of the raw signals R(ℓ) is the number of pairs of equal items at that distance; centring takes away
    Σ_t m(u_t) over t > ℓ and over t ≤ L − ℓ, and adds (L − ℓ) |m|², with m the mean of each signal.
    """
    length = len(items)
    _, which, counts = np.unique(items, return_inverse=True, return_counts=True)
    orders = _orders(length)
    if len(counts) == 1:  # centred it is nothing, and every order of it is the same
        return np.zeros(orders.shape)
    recurring = counts > 1 if (counts > 1).any() else counts > 0
    mean = np.where(recurring, counts / length, 0)
    before = np.zeros((len(orders), length + 1))
    np.cumsum(mean[which][orders], axis=1, out=before[:, 1:])
    lags = np.arange(length)
    ends = before[:, -1:] - before[:, :-1] + before[:, :0:-1]  # (1 + S, L)

    frequent = recurring & (counts > FREQUENT * math.sqrt(length))
    raw = _equal_pairs(np.where(frequent[which], -1, which), _places(length))
    raw[:, 0] = counts[recurring & ~frequent].sum()
    if frequent.any():
        raw += _autocorrelation(np.eye(len(counts))[which][:, frequent][orders])
    return raw - ends + (length - lags) * (mean @ mean)


def _equal_pairs(kinds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Number of pairs of one kind by distance. kinds int (L,), −1 for none; places (S, L) of each → (S, L)."""
    copies, length = places.shape
    order = np.argsort(kinds, kind="stable")
    order = order[kinds[order] >= 0]
    found = []
    for apart in range(1, len(order)):
        first, second = order[:-apart], order[apart:]
        same = kinds[first] == kinds[second]
        if not same.any():
            break
        found.append((first[same], second[same]))
    if not found:
        return np.zeros((copies, length))
    first, second = (np.concatenate(side) for side in zip(*found, strict=True))
    rows = []
    for part in np.array_split(places, max(1, copies * len(first) // PAIRS_AT_ONCE)):
        distance = np.abs(part[:, first] - part[:, second])  # (rows, pairs)
        distance += np.arange(len(part), dtype=distance.dtype)[:, None] * length
        rows.append(np.bincount(distance.ravel(), minlength=len(part) * length).reshape(len(part), length))
    return np.concatenate(rows).astype(np.float64)


def _fold(R: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """(S, L) → (S, p)."""
    multiples = _multiples(R.shape[1], int(periods[-1]))
    # a centred history has no power at f = 0, so that the mean is over p − 1 harmonics
    return (1 + 2 * (R @ multiples) / np.maximum(R[:, :1], TINY)) * (periods / (periods - 1))


@lru_cache(maxsize=64)
def _orders(length: int) -> np.ndarray:
    """The order of a history as it is, and shuffled: (1 + S, L)."""
    # the Mersenne Twister, so that bands equal those of earlier versions
    drawn = np.random.RandomState(_SEED + length).randint(1 << 24, size=(SHUFFLES, length), dtype=np.uint32)
    return np.concatenate([np.arange(length)[None], drawn.argsort(1, kind="stable")])


@lru_cache(maxsize=64)
def _places(length: int) -> np.ndarray:
    """The position of each event of a history in each of `_orders`: int32 (1 + S, L)."""
    return _orders(length).argsort(1).astype(np.int32)


@lru_cache(maxsize=256)
def _multiples(length: int, longest: int) -> np.ndarray:
    """1 where a lag is a multiple of a period, for the periods 2 … longest: (L, p)."""
    lags, periods = np.arange(length)[:, None], np.arange(2, longest + 1)
    return ((lags % periods == 0) & (lags > 0)).astype(np.float64)


@lru_cache(maxsize=256)
def _next_fast_length(length: int) -> int:
    """The smallest number of at least `length` without a prime factor above 5: a large one would be slow."""
    fast = {2**a * 3**b * 5**c for a in range(length.bit_length() + 1) for b in range(20) for c in range(14)}
    return min(size for size in fast if size >= length)
