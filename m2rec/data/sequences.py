"""Ragged sequences of item indices: every user's events end to end in one array, with the offset of each user."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sequences:
    """The events of each user, oldest first. U users, E events in all.

    Item indices run from 1; 0 is padding and never occurs here.
    """

    events: np.ndarray  # int32 (E,)
    offsets: np.ndarray  # int64 (U+1,); user u owns events[offsets[u]:offsets[u+1]]

    def __post_init__(self) -> None:
        if self.events.ndim != 1 or self.events.dtype != np.int32:
            raise ValueError(f"events must be int32 (E,), got {self.events.dtype} {self.events.shape}")
        if self.offsets.ndim != 1 or self.offsets.dtype != np.int64 or len(self.offsets) == 0:
            raise ValueError(f"offsets must be int64 (U+1,), got {self.offsets.dtype} {self.offsets.shape}")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.events) or (np.diff(self.offsets) < 0).any():
            raise ValueError(f"offsets must rise from 0 to the number of events ({len(self.events)})")
        if len(self.events) and self.events.min() < 1:
            raise ValueError("item indices start at 1")

    @classmethod
    def from_lists(cls, histories: Iterable[Sequence[int]]) -> "Sequences":
        """Sequences from one list of item indices per user.

        >>> Sequences.from_lists([[3, 1], [], [2]])[2].tolist()
        [2]
        """
        rows = [np.asarray(history, dtype=np.int32) for history in histories]
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> np.ndarray:
        """The events of one user, int32 (n,), as a view."""
        if not 0 <= user < len(self):  # also ends iteration, which Python drives by IndexError
            raise IndexError(f"user {user} is not in 0…{len(self) - 1}")
        return self.events[self.offsets[user] : self.offsets[user + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Events per user, int64 (U,)."""
        return np.diff(self.offsets)

    @property
    def positions(self) -> np.ndarray:
        """Each event's place in its user's sequence, from 0, int64 (E,)."""
        return np.arange(len(self.events)) - np.repeat(self.offsets[:-1], self.lengths)
