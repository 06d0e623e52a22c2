"""The spectrum in calendar time, for histories whose interactions have dates: power against period in days.

Interactions come at uneven distances, so the transform is that of Lomb and Scargle with a floating mean (VanderPlas
2018): at each period a sinusoid is fitted by least squares to each day's mean item vector, channel by channel. Power is
1 on average where dates and items have nothing to do with each other, but ½ at two days, where the sine is 0 on all
dates. The band is that of `spectrum.py`: the same dates, with the choices of each day shuffled among them as a whole,
because those of one day are similar without any rhythm. Dates are whole days, so that the shortest period is two of
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.recommend.engine import Engine
from m2rec.recommend.explain.spectrum import SHUFFLES, TINY, chance_level, principal
from m2rec.recommend.parts import above_chance, local_peaks

CHANNELS = 6  # principal directions kept
LONGEST_PERIOD = 60  # days
SINGULAR = 1e-6  # of √n: shorter vectors are rounding, where cosine and sine coincide on these dates
FEWEST = 8  # different days, below which there is nothing to fit
_SEED = 20250504  # the same history always gets the same band


@dataclass(frozen=True)
class CalendarSpectrum:
    """One entry per period, in days, shortest first."""

    period: list[int]
    power: list[float]
    threshold: list[float]
    dates: int  # different days with an interaction
    span: int  # days from the first to the last

    @property
    def significant(self) -> list[int]:
        """Periods whose power is above the threshold, strongest first."""
        return above_chance(self.period, self.power, self.threshold)

    @property
    def peaks(self) -> list[int]:
        """Of these, the ones higher than their neighbours, shortest first: a wide peak is named once."""
        return local_peaks(self.period, self.power, self.significant)


def calendar_of(engine: Engine, history: Sequence[str], days: Sequence[int | None]) -> CalendarSpectrum | None:
    """`days`: the date of each interaction, as days since any day zero, or None where it is not known. None where too
    few dates are known.
    """
    read, _ = engine.read(history)
    vectors = engine.unit_vectors(read)
    read_days = list(days)[len(days) - len(vectors) :]
    dated = np.array([place for place, day in enumerate(read_days) if day is not None], dtype=int)
    return calendar_spectrum(vectors[dated], np.array([read_days[place] for place in dated], dtype=float))


def calendar_spectrum(vectors: np.ndarray, days: np.ndarray) -> CalendarSpectrum | None:
    """vectors (L, d) on days (L,), in any order. None where the days are too few, or too close together."""
    span = int(np.ptp(days)) if len(days) else 0
    periods = np.arange(2, min(LONGEST_PERIOD, span // 2) + 1)
    dates, owner, count = np.unique(days, return_inverse=True, return_counts=True)
    if len(dates) < FEWEST or not len(periods):
        return None
    daily = np.zeros((len(dates), vectors.shape[1]))
    np.add.at(daily, owner, vectors / count[owner, None])
    channels = principal(daily - daily.mean(0), CHANNELS)  # (n, c)
    chance = np.random.default_rng(_SEED + len(dates))
    orders = np.stack([np.arange(len(dates)), *(chance.permutation(len(dates)) for _ in range(SHUFFLES))])
    power = lomb_scargle(dates, channels[orders], 2 * np.pi / periods)  # (1 + shuffles, p)
    power /= max(float(channels.var(0).sum()), TINY)
    threshold = chance_level(power[1:])
    return CalendarSpectrum(periods.tolist(), power[0].tolist(), threshold.tolist(), len(dates), span)


def lomb_scargle(times: np.ndarray, values: np.ndarray, angular: np.ndarray) -> np.ndarray:
    """Half the squared length of the least-squares fit of a sinusoid beside a mean, summed over channels.

    times (n,), values (S, n, c), angular frequencies (p,) → (S, p); `scipy.signal.lombscargle` with a floating mean.
    """
    phase = angular[:, None] * times
    waves = np.stack([np.cos(phase), np.sin(phase)], axis=-1)  # (p, n, 2)
    waves -= waves.mean(1, keepdims=True)  # the mean is fitted first
    # an orthonormal basis of each pair; where it is degenerate (a period of two days) there is one direction
    basis, strength, _ = np.linalg.svd(waves, full_matrices=False)
    basis *= (strength > SINGULAR * np.sqrt(len(times)))[:, None]
    fitted = np.einsum("pnk,snc->spkc", basis, values, optimize=True)
    return 0.5 * (fitted**2).sum((-2, -1))
