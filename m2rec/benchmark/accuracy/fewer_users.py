"""Fewer users to learn from, for a learning curve, and fewer to be measured on, where that is dear."""

from dataclasses import replace

import numpy as np

from m2rec.data.prepared import Prepared
from m2rec.data.split import Split

ORDER_SEED = 0  # one order for all runs: who is among 500 users is among 1,000 too


def fewer_users(prepared: Prepared, train: int | None, held_out: int | None) -> Prepared:
    """The same data with `train` users to learn from, and the targets of `held_out` users of validation and of test.

    None, or a number above what there is, keeps all of them. Items keep their indices, and counts of training events
    stay those of all users: the catalogue is known, whoever is learned from.
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
    """Which users are among the first `count` of the candidates (bool (U,)) in this order: bool (U,)."""
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[candidates[order]][:count]] = True
    return chosen


def _end(order: np.ndarray, start: np.ndarray, end: np.ndarray, count: int | None) -> np.ndarray:
    """The ends of the ranges of targets, with those of all but `count` users emptied: int64 (U,)."""
    return np.where(_first(order, start < end, count), end, start)
