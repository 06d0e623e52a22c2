"""What the periodic branch says at every position of a history at once, with a column for each of its items."""

from typing import NamedTuple

import numpy as np

from m2rec.inference.frequency.recurrence_bank import RecurrenceBank


class Positions(NamedTuple):
    """`slots` (X,), the different items; how due each is at every position, `each` (n, X), and through which band,
    `through` (n, b); which of them the filter still reaches, `there` (n, X).
    """

    slots: np.ndarray
    each: np.ndarray
    through: np.ndarray
    there: np.ndarray

    @property
    def newest(self) -> "Positions":
        """The last position alone."""
        return Positions(self.slots, self.each[-1:], self.through[-1:], self.there[-1:])


def all_positions(
    bank: RecurrenceBank,
    habit: np.ndarray,
    known: np.ndarray,
    weights: np.ndarray,
    others: np.ndarray,
    before: int,
    count: int,
    band_keep: np.ndarray | None,
) -> Positions:
    """After each of `known` (m + n,) from `before` = m on. habit (V + 1,), weights (m + n,), others (m + n, b + 1);
    `count` is the number of choices before the first of these n.
    """
    slots, place = np.unique(known, return_inverse=True)
    total, read = len(known), len(known) - before
    first = before - 1  # a step before the first position, for what is late there; a step after the last, for early
    times = read + 2
    counts = count + np.arange(times)  # of the items at each of these times
    log_odds = np.empty((len(slots), times, bank.bands), dtype=np.float32)
    log_odds[:] = bank.threshold[np.clip(counts, 0, bank.window + 1)]
    log_odds += habit[slots, None, None]
    for at, slot in enumerate(place):
        begin = max(at, first)
        end = min(at + bank.window, total + 1)  # outside the window of the filter
        if end > begin:
            log_odds[slot, begin - first : end - first] += weights[at] * bank.by_lag[begin - at : end - at]
    last = np.full((len(slots), times), -1, dtype=np.int64)  # place of each item's last choice at each time …
    last[place, np.maximum(np.arange(total) - first, 0)] = np.arange(total)  # of several, the newest stays
    np.maximum.accumulate(last, axis=1, out=last)
    earlier = np.concatenate([last[:, :1], last[:, :-1]], axis=1)  # … and before it
    gap = np.arange(first, total + 1) + 1 - earlier
    # an item has one rhythm: other bands that explained its last choice are evidence against each
    slot, time = np.nonzero((others.max(1) > 0)[earlier] & (earlier >= 0) & (gap <= bank.window + 1))
    chosen, since = others[earlier[slot, time]], bank.near[gap[slot, time]]
    log_odds[slot, time] -= bank.explaining_away * np.where(since, chosen[:, :-1], chosen[:, -1:])
    belief = bank.belief(log_odds, band_keep)
    if count == 0:
        belief[:, 0] = 0  # there was no step before the first
    recur = belief[:, 2:] * bank.early  # in place from here on: fresh memory costs more than the arithmetic
    recur += belief[:, 1:-1]
    late = belief[:, :-2]
    late *= bank.late
    just = np.arange(max(first, 0), total - 1)
    late[place[just], just - first] = 0  # an item that occurred a step early is not late
    recur += late
    now = np.arange(before, total)
    last = last[:, 1:-1]
    heard: np.ndarray = np.asarray((last >= 0) & (now - last < bank.window))
    heard[place[now], now - before] = False  # the newest choice is never due
    recur *= heard[..., None]
    each, through = recur.sum(2), recur.sum(0)
    heard[place[now], now - before] = True
    return Positions(slots, each.T, through, heard.T)
