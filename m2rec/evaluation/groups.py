"""Purchases of the Rhythm Market grouped by cause, by period of the rhythm, by cycles seen."""

import numpy as np

from m2rec.data.market.settings import CAUSES

RHYTHM = "rhythm"
MANY_CYCLES = 6  # this many cycles and more are one group

Groups = dict[str, np.ndarray]  # name → bool (N,), which of N purchases belong to it


def by_cause(causes: np.ndarray, arrivals: np.ndarray) -> Groups:
    """One group a cause that occurs, and "arrivals", the items that no training customer bought.

    causes str (N,), arrivals bool (N,).
    """
    groups = {cause: causes == cause for cause in CAUSES} | {"arrivals": arrivals}
    return {name: group for name, group in groups.items() if group.any()}


def by_period(causes: np.ndarray, periods: np.ndarray) -> Groups:
    """Rhythm purchases by the period of their rhythm, "2", "3", …: causes str (N,), periods int (N,)."""
    rhythm = causes == RHYTHM
    return {str(period): rhythm & (periods == period) for period in np.unique(periods[rhythm])}


def by_cycles(causes: np.ndarray, cycles: np.ndarray) -> Groups:
    """Rhythm purchases by how often their rhythm had occurred before, "0" to "6+": causes str (N,), cycles int (N,)."""
    rhythm, capped = causes == RHYTHM, np.minimum(cycles, MANY_CYCLES)
    return {
        f"{count}+" if count == MANY_CYCLES else str(count): rhythm & (capped == count)
        for count in np.unique(capped[rhythm])
    }
