"""How often people choose an item again, and how much more often than its popularity alone explains, both measured on
the training part.
"""

import numpy as np

from m2rec.data.prepared import Prepared

BOUND = 8.0  # e^8 ≈ 3,000 times as likely, or as unlikely: a softmax hardly changes beyond
SMOOTHING = 0.5  # of every count, so that a data set without one repeat has finite log-odds (Haldane and Anscombe)


def repeat_share(prepared: Prepared) -> float:
    """The share of training events whose item the same user chose before; 0 where there are no training events."""
    users, items = _training_part(prepared)
    return float(1 - _first_times(users, items, prepared.item_count).mean()) if len(items) else 0.0


def repeat_log_odds(prepared: Prepared) -> float:
    """Log-odds of a repeat as seen, minus its log-odds under popularity alone, within ±`BOUND`.

        log (R + ½) / (N − R + ½)  −  log (E + ½) / (N − E + ½)

    N   events of the training part that have a history
    R   those whose item is in that history
    E R expected if all users chose by popularity: Σ over the N events of the popularity share, among all
        training events, of the items in the history

    Added to log popularity at the items of the history, it makes repeats as frequent as they are. 0 where no user has
    two training events. Only events before `train_end` are read.
    """
    users, items = _training_part(prepared)
    if len(items) == 0:
        return 0.0
    begins = np.concatenate([[True], users[1:] != users[:-1]])  # (E,) a user's first event has no history
    first_time = _first_times(users, items, prepared.item_count)

    share = prepared.train_counts / prepared.train_counts.sum()  # (V,)
    added = np.where(first_time, share[items - 1], 0.0)  # what each event adds to the popularity of its history
    before = np.cumsum(added) - added
    popularity = before - before[np.maximum.accumulate(np.where(begins, np.arange(len(items)), 0))]

    targets = int((~begins).sum())
    repeats = int((~first_time).sum())
    expected = float(popularity[~begins].sum())
    if targets == 0:
        return 0.0
    difference = _log_odds(repeats, targets) - _log_odds(expected, targets)
    return float(np.clip(difference, -BOUND, BOUND))


def _training_part(prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """The user and the item of each of the E training events, by user, oldest first: int64 (E,) each."""
    lengths = prepared.sequences.lengths
    in_training = prepared.sequences.positions < np.repeat(prepared.split.train_end, lengths)
    users = np.repeat(np.arange(len(lengths)), lengths)[in_training]
    return users, prepared.sequences.events[in_training].astype(np.int64)


def _first_times(users: np.ndarray, items: np.ndarray, item_count: int) -> np.ndarray:
    """Which events are the first of their user with their item: users, items (E,) → bool (E,)."""
    first = np.zeros(len(items), dtype=bool)
    first[np.unique(users * (item_count + 1) + items, return_index=True)[1]] = True
    return first


def _log_odds(count: float, of: int) -> float:
    return float(np.log((count + SMOOTHING) / (of - count + SMOOTHING)))
