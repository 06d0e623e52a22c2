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
        self.taps = branch.taps + 2  # of a tail: the filter's, one for what is overdue, and the one before it
        self.window, self.items, self.adaptive = branch.taps, branch.items, branch.adaptive
        kernels = branch.kernels()
        self.bands = len(kernels)
        self.readings = weights_of(branch.readings(kernels).flatten(0, 1).T)  # (W + 1, 3 b), newest last
        self.asked = weights_of(branch.asked(kernels, torch.arange(self.window + 2)).T)  # (W + 2, b), by count
        self.habit = weights_of(branch.habit_of(torch.arange(len(table.unit))[None], table)[0])  # (V + 1,)
        self.called, self.came = weights_of(branch.called_for(table)), weights_of(table.vectors)  # (V + 1, d)
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
        """The newest items (W + 2,), newest last, zeros before the first → over (), and the new state."""
        count = state.count + 1
        return self._newest(tail[-min(count, self.taps) :], count, keep), CountState(count)

    def _newest(self, tail: np.ndarray, count: int, keep: np.ndarray | None) -> Rhythm:
        """tail (n,), the newest items up to W + 2 of them, no zeros; count of all there have been → over ()."""
        before = np.concatenate([[0], tail[:-1]])[-self.window - 1 :]
        tail = tail[-self.window - 1 :]
        surprise = expit(self.unexpected - np.einsum("nd,nd->n", self.called[before], self.came[tail]))
        slots, place = np.unique(tail, return_inverse=True)
        signal = np.zeros((len(slots), len(tail)), dtype=np.float32)
        signal[place, np.arange(len(tail))] = surprise
        log_odds = (signal @ self.readings[-len(tail) :]).reshape(len(slots), 3, self.bands)
        # the same limits as in `ReturnBranch.asked`: the row of a count holds what it asks
        log_odds += self.asked[np.minimum([count - 1, count, count + 1], self.window + 1)]
        log_odds += self.habit[slots, None, None]
        if not self.adaptive:
            log_odds[:] = log_odds.mean(2, keepdims=True)
        belief = expit(log_odds)
        if keep is not None:
            belief *= keep
        if count > 1:
            belief[place[-2], 0] = 0  # it came a step early, so it cannot be late
        else:
            belief[:, 0] = 0
        due = belief[:, 1] + self.overdue * belief[:, 0] + self.ahead * belief[:, 2]
        due[place[-1]] = 0  # what was chosen just now is never due
        recent = np.zeros(len(slots), dtype=bool)
        recent[place[-self.window :]] = True
        slots, due = slots[recent], due[recent]
        each, through = due.sum(1), due.sum(0)
        scores = self.certain + np.log(each + np.float32(LEAST))
        total = each.sum()
        certain = np.exp(self.certain)
        everything = certain * total + np.float32(max(1, self.items - len(slots)))
        share = certain * each / everything
        summary = [min(total, 3.0), np.log(total + np.float32(1e-4)) / 4, share.max(initial=0)]
        return Rhythm(
            share @ self.vectors[slots],
            certain * through / everything,
            np.append(through, summary).astype(np.float32),
            (slots, scores.astype(np.float32)),
        )
