"""Splits: training events, and the targets of validation and test."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from m2rec.data.sequences import Sequences
from m2rec.errors import DataError

SplitRule = Callable[[Sequences, np.ndarray | None], "Split"]  # (sequences, timestamps (E,) or None)


@dataclass(frozen=True)
class Split:
    """Positions inside each user's sequence, int64 (U,) each.

    Events before `train_end` are for training. Targets are in [from, to); all events before a target are its history.
    An empty range means that the user has no target there.
    """

    train_end: np.ndarray
    validation_from: np.ndarray
    validation_to: np.ndarray
    test_from: np.ndarray
    test_to: np.ndarray

    def check(self, lengths: np.ndarray) -> None:
        """Raise ValueError unless the split fits sequences of these lengths and no target is a training event."""
        for name, values in vars(self).items():
            if values.dtype != np.int64 or values.shape != lengths.shape:
                raise ValueError(f"{name} must be int64 ({len(lengths)},), got {values.dtype} {values.shape}")
            if (values < 0).any() or (values > lengths).any():
                raise ValueError(f"{name} must lie between 0 and the length of each sequence")
        for start, end in ((self.validation_from, self.validation_to), (self.test_from, self.test_to)):
            if (start > end).any():
                raise ValueError("a range of targets must not end before it starts")
            if (start < self.train_end)[start < end].any():
                raise ValueError("a target must not lie in the training part")

    def targets(self, part: Literal["validation", "test"]) -> tuple[np.ndarray, np.ndarray]:
        """Every target of one part: user indices and positions, int64 (T,) each, by user, oldest first."""
        start, end = getattr(self, f"{part}_from"), getattr(self, f"{part}_to")
        counts = end - start
        users = np.repeat(np.arange(len(counts)), counts)
        first = np.cumsum(counts) - counts  # where each user's targets begin in the result
        return users, start[users] + np.arange(len(users)) - first[users]


def leave_one_out(sequences: Sequences, timestamps: np.ndarray | None = None) -> Split:
    """Each user's last event is the test target, the one before it the validation target, the rest is training.

    Users with fewer than three events are for training only.
    """
    lengths = sequences.lengths
    held = np.where(lengths >= 3, 1, 0)
    return Split(lengths - 2 * held, lengths - 2 * held, lengths - held, lengths - held, lengths.copy())


def by_user(
    sequences: Sequences,
    timestamps: np.ndarray | None = None,
    *,
    validation_share: float = 0.1,
    test_share: float = 0.1,
    first_target: int = 28,
    seed: int = 0,
) -> Split:
    """Some users are for training only; of the others, every event from position `first_target` on is a target.

    No event of a validation or test user is used in training, so the figures are for users that the model has not seen.
    The users are drawn with `seed`; the same seed and number of users always draw the same ones.
    """
    lengths = sequences.lengths
    order = np.random.default_rng(seed).permutation(len(lengths))
    n_test, n_validation = round(test_share * len(lengths)), round(validation_share * len(lengths))
    in_test = np.zeros(len(lengths), dtype=bool)
    in_test[order[:n_test]] = True
    in_validation = np.zeros(len(lengths), dtype=bool)
    in_validation[order[n_test : n_test + n_validation]] = True
    start = np.minimum(first_target, lengths)
    return Split(
        np.where(in_test | in_validation, 0, lengths),
        np.where(in_validation, start, lengths),
        lengths.copy(),
        np.where(in_test, start, lengths),
        lengths.copy(),
    )


def global_temporal(
    sequences: Sequences,
    timestamps: np.ndarray | None,
    *,
    validation_share: float = 0.1,
    test_share: float = 0.1,
) -> Split:
    """One time for all users: the newest events are test targets, those just before them validation targets.

    Two clock times are chosen so that about the given shares of all events come after them; events at the same
    second stay on the same side. A user's very first event is never a target: it has no history.

    Raises DataError when any event lacks a time or a sequence is not in the order of its times.
    """
    if timestamps is None or (timestamps < 0).any():
        raise DataError("The global temporal split needs a timestamp for every event; use leave-one-out without them.")
    same_user = sequences.positions[1:] > 0
    if (np.diff(timestamps) < 0)[same_user].any():
        raise DataError("The global temporal split needs every sequence in the order of its timestamps.")
    if len(timestamps) == 0:
        raise DataError("The global temporal split needs at least one event.")
    ordered = np.sort(timestamps)
    n = len(ordered)
    test_at = ordered[min(n - 1, n - round(test_share * n))]
    validation_at = ordered[min(n - 1, n - round((test_share + validation_share) * n))]

    def events_before(moment: int) -> np.ndarray:
        counts = np.concatenate([[0], np.cumsum(timestamps < moment)])  # (E+1,)
        return np.diff(counts[sequences.offsets])

    train_end, validation_to = events_before(validation_at), events_before(test_at)
    lengths = sequences.lengths
    has_history = np.minimum(1, lengths)
    validation_from = np.maximum(train_end, has_history)
    test_from = np.maximum(validation_to, has_history)
    return Split(train_end, validation_from, np.maximum(validation_from, validation_to), test_from, lengths.copy())
