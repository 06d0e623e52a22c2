"""What may be asked of a world: the one place where the arguments of a request are checked."""

import math
import reprlib
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
        raise InputError(f"k is how many items to show, a whole number from 1 to {MOST_ITEMS}, not {reprlib.repr(k)}.")
    return k


def checked_override(override: Mapping[str, float] | None) -> Tensor | None:
    """Gate weights in the order of MODALITIES, normalised, (3,); None when nothing is overridden."""
    if not override:
        return None
    named = isinstance(override, Mapping) and all(name in MODALITIES for name in override)
    values = [_number(override.get(name, 0.0)) for name in MODALITIES] if named else []
    if not any(values) or not all(0 <= value < math.inf for value in values):
        raise InputError(
            "A gate override gives temporal, frequency and semantic a finite weight of 0 or more, at least one above 0."
        )
    largest = max(values)  # divided by first, so that the sum of large weights stays finite
    weights = torch.tensor([value / largest for value in values], dtype=torch.float64)
    return (weights / weights.sum()).float()


def checked_bands(bands: Sequence[Band] | None) -> list[Band]:
    """Pairs of periods, low and high; high may be infinite, which mutes the trends too. None or empty: no band."""
    if bands is None:
        return []
    if not isinstance(bands, Sequence):
        raise InputError("Muted bands are a list of pairs of periods in interactions, each low and high.")
    return [_checked_band(band) for band in bands]


def _checked_band(band: Band) -> Band:
    pair = isinstance(band, Sequence) and not isinstance(band, str) and len(band) == 2
    low, high = (_number(edge) for edge in band) if pair else (math.nan, math.nan)
    if not 0 < low <= high:  # nor is it so for nan
        raise InputError("A muted band is a pair of periods in interactions, low and high, with 0 < low ≤ high.")
    return low, high


def _number(value: object) -> float:
    """As a float; nan for what is no number, or is larger than a float can be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan
