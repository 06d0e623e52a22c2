"""The spectrum in calendar time, for histories whose interactions have dates: power against period in days.

Interactions come at uneven distances, so the transform is that of Lomb and Scargle with a floating mean (VanderPlas
2018): at each period a sinusoid is fitted by least squares to each day's mean item vector, channel by channel. Power
is 1 on average where dates and items have nothing to do with each other. The band is that of `spectrum.py`: the same
dates, and what was chosen on a day shuffled among them as a whole, for one sitting is alike without any rhythm.
Dates are whole days, so that the shortest period is two of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from m2rec.recommend.engine import Engine
from m2rec.recommend.spectrum import SHUFFLES, chance_level

CHANNELS = 6  # principal directions kept
LONGEST_PERIOD = 60  # days
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
        rows = zip(self.period, self.power, self.threshold, strict=True)
        return [period for _, period in sorted(((p / t, d) for d, p, t in rows if p > t), reverse=True)]

    @property
    def peaks(self) -> list[int]:
        """Of these, the ones higher than their neighbours, shortest first: a wide peak is named once."""
        power = [0.0, *self.power, 0.0]
        highest = {d for at, d in enumerate(self.period) if power[at] <= power[at + 1] > power[at + 2]}
        return sorted(highest & set(self.significant))


def calendar_of(engine: Engine, history: Sequence[str], days: Sequence[int | None]) -> CalendarSpectrum | None:
    """`days`: one date an interaction, as days since any day zero, None where it is not known. None without a clock."""
    with torch.inference_mode():
        read, _ = engine.read(history)
        vectors = read.table.unit[torch.tensor(read.indices, dtype=torch.long)].numpy()
    kept = list(days)[len(days) - len(vectors) :]
    dated = np.array([place for place, day in enumerate(kept) if day is not None], dtype=int)
    return calendar_spectrum(vectors[dated], np.array([kept[place] for place in dated], dtype=float))


def calendar_spectrum(vectors: np.ndarray, days: np.ndarray) -> CalendarSpectrum | None:
    """vectors (L, d) on days (L,), in any order. None where the days are too few, or too close together."""
    span = int(np.ptp(days)) if len(days) else 0
    periods = np.arange(2, min(LONGEST_PERIOD, span // 2) + 1)
    dates, owner, count = np.unique(days, return_inverse=True, return_counts=True)
    if len(dates) < FEWEST or not len(periods):
        return None
    from scipy.signal import lombscargle  # takes a moment to import, and most histories have no dates

    daily = np.zeros((len(dates), vectors.shape[1]))
    np.add.at(daily, owner, vectors / count[owner, None])
    centred = daily - daily.mean(0)
    left, strength, _ = np.linalg.svd(centred, full_matrices=False)
    channels = (left * strength)[:, :CHANNELS].astype(float)
    total = max(float(channels.var(0).sum()), 1e-12)
    angular = 2 * np.pi / periods

    def power(order: np.ndarray) -> np.ndarray:
        fits = [lombscargle(dates, channel, angular, floating_mean=True) for channel in channels[order].T]
        return np.sum(fits, axis=0) / total

    chance = np.random.default_rng(_SEED + len(dates))
    shuffled = np.stack([power(chance.permutation(len(dates))) for _ in range(SHUFFLES)])
    threshold = chance_level(torch.from_numpy(shuffled))
    found = power(np.arange(len(dates)))
    return CalendarSpectrum(periods.tolist(), found.tolist(), threshold.tolist(), len(dates), span)
