"""A filter for when a rhythm of known period and phase is due, updated day by day.

An occurrence can fall on three days: the one before its nominal day, that day, and the one after. The state overnight
is a single bit, "the current occurrence has happened": one bit suffices for every period from 2 on, since with period 2
the last day of an occurrence is the first of the next one and only the latter is remembered. Days therefore come in
five kinds:

    IDLE     no occurrence can fall here
    EARLY    the day before the nominal one
    NOMINAL  the nominal day
    LATE     the day after; the bit is forgotten at its end
    TURN     LATE of one occurrence and EARLY of the next at once (period 2)
"""

import numpy as np

from m2rec.data.market.settings import LONGEST_PERIOD, MarketSettings

IDLE, EARLY, NOMINAL, LATE, TURN = range(5)
NOT_DUE, DUE = range(2)


def day_kinds(period: np.ndarray, phase: np.ndarray, day: int) -> np.ndarray:
    """The kind of `day` in each rhythm; a period of 0 (no rhythm) has idle days only."""
    since = (day - phase) % np.maximum(period, 1)  # days since the last nominal day
    kinds = np.select([since == 0, since == 1, since == period - 1], [NOMINAL, LATE, EARLY], IDLE)
    return np.where(period == 0, IDLE, np.where((period == 2) & (since == 1), TURN, kinds))


def steps(settings: MarketSettings) -> np.ndarray:
    """One day of the filter: float64 (5, 2, 2, 2), [kind of day, due, bit before, bit after] is a probability.

    It is P(due today and bit after | bit before), so it sums to 1 over `due` and `bit after`.
    """
    early = (1 - settings.miss) * settings.slip
    nominal = (1 - settings.miss) * (1 - 2 * settings.slip) / (1 - early)  # given that it was not early
    late = early / (early + settings.miss) if early else 0.0  # given that it was neither
    table = np.zeros((5, 2, 2, 2))
    table[IDLE, NOT_DUE] = np.eye(2)
    table[EARLY, NOT_DUE, :, 0] = 1 - early
    table[EARLY, DUE, :, 1] = early
    table[NOMINAL, NOT_DUE] = np.diag([1 - nominal, 1])
    table[NOMINAL, DUE, 0, 1] = nominal
    for bit, now in enumerate((late, 0.0)):
        table[LATE, NOT_DUE, bit, 0] = 1 - now
        table[LATE, DUE, bit, 0] = now
        table[TURN, NOT_DUE, bit, 0] = (1 - now) * (1 - early)  # the next occurrence may come early
        table[TURN, DUE, bit, 0] = now * (1 - early)
        table[TURN, DUE, bit, 1] = early
    return table


def first_bit(settings: MarketSettings, period: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """P(bit) on the first morning, float64 (…, 2): occurrences whose days began before the customer was seen."""
    early = (1 - settings.miss) * settings.slip
    been = np.where(phase == 0, early, 0.0)
    been = np.where((phase == period - 1) & (period > 0), (1 - settings.miss) * (1 - settings.slip), been)
    return np.stack([1 - been, been], axis=-1)


def all_rhythms() -> tuple[np.ndarray, np.ndarray]:
    """Every period 2…28 with every phase: two int arrays (405,), by period, then by phase."""
    pairs = [(period, phase) for period in range(2, LONGEST_PERIOD + 1) for phase in range(period)]
    period, phase = np.array(pairs).T
    return period, phase
