"""Training rows: histories cut into windows so that no event is lost and none is a target twice."""

from dataclasses import dataclass

import numpy as np

from m2rec.data.sequences import Sequences


@dataclass(frozen=True)
class Windows:
    """W windows over the training parts of all users, each of at most `length` inputs.

    A window is a run of up to length+1 consecutive events of one user: all but the last are inputs, all but the first
    are targets. The next window starts on the last event of the one before, so every event of a training part except
    its first is a target exactly once. Each user's newest window is full; the oldest may be short.
    """

    events: np.ndarray  # int32 (E,) as in `Sequences`
    starts: np.ndarray  # int64 (W,) first event of each window, an index into `events`
    sizes: np.ndarray  # int64 (W,) inputs of each window, 1…length
    users: np.ndarray  # int64 (W,) the user of each window
    length: int  # L

    @classmethod
    def of_training(cls, sequences: Sequences, train_end: np.ndarray, length: int) -> "Windows":
        """Cut events [0, train_end) of every user; a user with fewer than two of them has no window.

        `train_end` is int64 (U,), `Split.train_end`. Windows come by user, oldest first.
        """
        if length < 1:
            raise ValueError(f"a window needs at least one input, got length {length}")
        targets = np.maximum(train_end - 1, 0)  # (U,)
        counts = -(-targets // length)  # (U,) windows of each user, rounded up
        users = np.repeat(np.arange(len(counts)), counts)
        from_newest = np.repeat(np.cumsum(counts), counts) - np.arange(len(users)) - 1  # 0 for each user's newest
        last = train_end[users] - 1 - from_newest * length  # position of the window's last event
        first = np.maximum(last - length, 0)
        return cls(sequences.events, sequences.offsets[users] + first, last - first, users, length)

    def __len__(self) -> int:
        return len(self.starts)

    def batch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of some windows, int64 (B, L) each, right-padded with 0.

        `targets[b, t]` is the event that follows `items[b, t]`; 0 in `targets` means no target.
        """
        steps = np.arange(self.length)
        inside = steps < self.sizes[indices, None]  # (B, L)
        where = np.where(inside, self.starts[indices, None] + steps, 0)
        items = np.where(inside, self.events[where], 0).astype(np.int64)
        targets = np.where(inside, self.events[np.where(inside, where + 1, 0)], 0).astype(np.int64)
        return items, targets
