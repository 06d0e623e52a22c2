"""Train on fewer users, for a learning curve, and evaluate on fewer, where evaluation is slow."""

from dataclasses import replace

import numpy as np

from m2rec.data.prepared import Prepared
from m2rec.data.split import Split

ORDER_SEED = 0  # one order for all runs, so that the first 500 users are among the first 1,000


def fewer_users(prepared: Prepared, train: int | None, held_out: int | None) -> Prepared:
    """The same data with `train` training users, and the targets of `held_out` users each for validation and test.

    None, or a number larger than there are, keeps all of them. Items keep their indices and their counts of training
    events over all users: the catalogue is the same for every number of training users.
    """
    order = np.random.default_rng(ORDER_SEED).permutation(len(prepared.user_ids))
    split = prepared.split
    return replace(
        prepared,
        split=Split(
            np.where(_first(order, split.train_end > 0, train), split.train_end, 0),
            split.validation_from,
            _end(order, split.validation_from, split.validation_to, held_out),
            split.test_from,
            _end(order, split.test_from, split.test_to, held_out),
        ),
    )


def _first(order: np.ndarray, candidates: np.ndarray, count: int | None) -> np.ndarray:
    """The first `count` candidates in this order. candidates bool (U,) → bool (U,)."""
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[candidates[order]][:count]] = True
    return chosen


def _end(order: np.ndarray, start: np.ndarray, end: np.ndarray, count: int | None) -> np.ndarray:
    """End of each user's target range, equal to `start` (no targets) for all but `count` users. → int64 (U,)."""
    return np.where(_first(order, start < end, count), end, start)
