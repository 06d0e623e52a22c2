"""`ReturnBranch`, who comes back, for one history at a time."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit

from m2rec.model.items import ItemTable
from m2rec.model.returns import LEAST, ReturnBranch
from m2rec.model.serving.arrays import weights_of
from m2rec.model.serving.rhythm import Rhythm


@dataclass(frozen=True)
class CountState:
    """What the branch carries from item to item, beside the newest items."""

    count: int  # how many items there have been


class ServedReturns:
    """`ReturnBranch`."""

    def __init__(self, branch: ReturnBranch, table: ItemTable) -> None:
        self.taps = branch.taps + 3  # of a tail: the filter's, what is overdue, what called for that, and the newest
        self.window, self.items, self.adaptive = branch.taps, branch.items, branch.adaptive
        kernels = branch.kernels()
        self.bands = len(kernels)
        self.readings = weights_of(branch.readings(kernels).flatten(0, 1).T)  # (W + 1, 3 b), newest last
        self.asked = weights_of(branch.asked(kernels, torch.arange(self.window + 2)).T)  # (W + 2, b), by count
        self.habit = weights_of(branch.habit_of(torch.arange(len(table.unit))[None], table)[0])  # (V + 1,)
        assert table.calls is not None
        called = weights_of(table.calls)
        called[0] = 0  # nothing calls for anything at the start of a history
        self.called, self.came = called, weights_of(table.vectors)  # (V + 1, d)
        self.unexpected = float(branch.unexpected)
        self.overdue, self.ahead = weights_of(branch.overdue.sigmoid()), weights_of(branch.ahead.sigmoid())
        self.certain = np.float32(branch.certain)
        self.vectors = table.unit.numpy()

    def start(self) -> CountState:
        """The state before the first item."""
        return CountState(0)

    def last(self, items: np.ndarray, keep: np.ndarray | None) -> Rhythm:
        """items (L,) → over ()."""
        return self._newest(items[-self.taps :], len(items), keep)

    def step(self, tail: np.ndarray, state: CountState, keep: np.ndarray | None) -> tuple[Rhythm, CountState]:
        """The newest items (W + 3,), newest last, zeros before the first → over (), and the new state."""
        count = state.count + 1
        return self._newest(tail[-min(count, self.taps) :], count, keep), CountState(count)

    def explained(self, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How well each choice of a whole history was explained before it was made: called (L,), due (L,)."""
        called = self._called(np.concatenate([[0], items[:-1]]), items)
        place = np.arange(len(items))
        source = place[:, None] - 1 - np.arange(self.window + 1)  # [t, lag]
        back = np.maximum(source, 0)
        came = (items[back] == items[:, None]) & (source >= 0)  # (L, W + 1)
        heard = came * expit(self.unexpected - called).astype(np.float32)[back]
        again = came[:, :-1].any(1)  # the others are like any item that was never chosen
        due, _ = self._due_now(came[again], heard[again], items[again], place[again])
        scores = np.zeros(len(items), dtype=np.float32)
        scores[again] = self._scores(due.sum(1))
        return called, scores

    def explained_newest(self, tail: np.ndarray, count: int) -> tuple[float, float]:
        """The same of the newest item. tail (W + 3,), newest last, zeros before the first; count of all items."""
        tail = tail[-min(count, self.taps) :]
        called = self._called(np.concatenate([[0], tail[:-1]]), tail)
        came, heard = np.zeros((2, 1, self.window + 1), dtype=np.float32)
        earlier = tail[:-1][::-1][: self.window + 1]  # by lag
        came[0, : len(earlier)] = earlier == tail[-1]
        heard[0, : len(earlier)] = expit(self.unexpected - called[:-1][::-1][: self.window + 1])
        due, known = self._due_now(came > 0, heard * came, tail[-1:], np.array([count - 1]))
        return called[-1], self._scores(due.sum(1))[0] if known[0] else 0.0

    def _called(self, before: np.ndarray, items: np.ndarray) -> np.ndarray:
        return np.einsum("nd,nd->n", self.called[before], self.came[items])

    def _newest(self, tail: np.ndarray, count: int, keep: np.ndarray | None) -> Rhythm:
        """tail (n,), the newest items up to W + 3 of them, no zeros; count of all there have been → over ()."""
        called = self._called(np.concatenate([[0], tail[:-1]]), tail)[-self.window - 1 :]
        tail = tail[-self.window - 1 :]
        slots, place = np.unique(tail, return_inverse=True)
        came = np.zeros((len(slots), self.window + 1), dtype=bool)  # by lag
        came[place[::-1], np.arange(len(tail))] = True
        heard = np.zeros(came.shape, dtype=np.float32)
        heard[:, : len(tail)] = expit(self.unexpected - called[::-1])
        due, known = self._due_now(came, heard * came, slots, np.full(len(slots), count), keep)
        slots, due = slots[known], due[known]
        each, through = due.sum(1), due.sum(0)
        total = each.sum()
        certain = np.exp(self.certain)
        everything = certain * total + np.float32(max(1, self.items - len(slots)))
        share = certain * each / everything
        summary = [min(total, 3.0), np.log(total + np.float32(1e-4)) / 4, share.max(initial=0)]
        return Rhythm(
            share @ self.vectors[slots],
            certain * through / everything,
            np.append(through, summary).astype(np.float32),
            (slots, self._scores(each)),
        )

    def _due_now(
        self, came: np.ndarray, heard: np.ndarray, items: np.ndarray, count: np.ndarray, keep: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """d of items (n,), which came (n, W + 1), by lag from the newest of `count` (n,), and whether they did."""
        log_odds = (heard[:, ::-1] @ self.readings).reshape(-1, 3, self.bands)
        # the same limits as in `ReturnBranch.asked`: the row of a count holds what it asks
        log_odds += self.asked[np.clip(count[:, None] + np.array([-1, 0, 1]), 0, self.window + 1)]
        log_odds += self.habit[items, None, None]
        if not self.adaptive:
            log_odds[:] = log_odds.mean(2, keepdims=True)
        belief = expit(log_odds)
        if keep is not None:
            belief *= keep
        belief[(count <= 1) | came[:, 1], 0] = 0  # a step early, so it cannot be late
        due = belief[:, 1] + self.overdue * belief[:, 0] + self.ahead * belief[:, 2]
        known = np.asarray(came[:, :-1].any(1))
        due[came[:, 0] | ~known] = 0  # what was chosen just now is never due
        return due, known

    def _scores(self, each: np.ndarray) -> np.ndarray:
        return (self.certain + np.log(each + np.float32(LEAST))).astype(np.float32)
