"""What may be asked of a world: the one place where the arguments of a request are checked."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from m2rec.errors import InputError
from m2rec.recommend.answer import MODALITIES

MOST_ITEMS = 50

Band = tuple[float, float]  # lowest and highest period, in interactions


def checked_k(k: int) -> int:
    """How many items to show. Raises InputError outside 1…50."""
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_ITEMS:
        raise InputError(f"k is how many items to show, a whole number from 1 to {MOST_ITEMS}, not {k!r}.")
    return k


def checked_override(override: Mapping[str, float] | None) -> Tensor | None:
    """Gate weights in the order of MODALITIES, normalised, (3,); None when nothing is overridden."""
    if not override:
        return None
    unknown = [name for name in override if name not in MODALITIES]
    values = [override.get(name, 0.0) for name in MODALITIES]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if unknown or not numbers or not all(math.isfinite(v) and v >= 0 for v in values) or not sum(values) > 0:
        raise InputError(
            "A gate override gives temporal, frequency and semantic a finite weight of 0 or more, at least one above 0."
        )
    weights = torch.tensor(values, dtype=torch.float64)
    return (weights / weights.sum()).float()


def checked_band(band: Band) -> Band:
    """A pair of periods, low and high; high may be infinite, which mutes the trends too."""
    numbers = isinstance(band, Sequence) and not isinstance(band, str) and len(band) == 2
    numbers = numbers and all(isinstance(edge, int | float) and not isinstance(edge, bool) for edge in band)
    if not numbers or any(math.isnan(edge) for edge in band) or not 0 < band[0] <= band[1]:
        raise InputError("A muted band is a pair of periods in interactions, low and high, with 0 < low ≤ high.")
    return float(band[0]), float(band[1])
