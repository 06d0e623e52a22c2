"""`ReturnBranch`, who comes back, for one history at a time."""

from dataclasses import dataclass

import numpy as np
import torch

from m2rec.model.items import ItemTable
from m2rec.model.returns import EVIDENCE_SCALE, LEAST, MOST, ReturnBranch
from m2rec.model.serving.arrays import weights_of
from m2rec.model.serving.rhythm import Rhythm


@dataclass(frozen=True)
class CountState:
    """What the branch carries from item to item, beside the newest items."""

    count: int  # how many items there have been


class ServedReturns:
    """`ReturnBranch`."""

    def __init__(self, branch: ReturnBranch, table: ItemTable) -> None:
        self.taps, self.items, self.adaptive = branch.taps, branch.items, branch.adaptive
        kernels = branch.kernels()
        self.reading = weights_of(kernels.flip(-1).T)  # (W, b), newest last
        self.expected = weights_of(branch.expected(kernels, torch.arange(1, self.taps + 1)).T)  # (W, b), by count
        self.habit = weights_of(branch.habit_of(torch.arange(len(table.unit))[None], table)[0])  # (V + 1,)
        self.vectors = table.unit.numpy()

    def start(self) -> CountState:
        """The state before the first item."""
        return CountState(0)

    def last(self, items: np.ndarray, keep: np.ndarray | None) -> Rhythm:
        """items (L,) → over ()."""
        return self._newest(items[-self.taps :], len(items), keep)

    def step(self, tail: np.ndarray, state: CountState, keep: np.ndarray | None) -> tuple[Rhythm, CountState]:
        """The newest items (W,), newest last, zeros before the first → over (), and the new state."""
        count = state.count + 1
        return self._newest(tail[-min(count, self.taps) :], count, keep), CountState(count)

    def _newest(self, tail: np.ndarray, count: int, keep: np.ndarray | None) -> Rhythm:
        """tail (n,), the newest items up to W of them, no zeros; count of all there have been → over ()."""
        slots, place = np.unique(tail, return_inverse=True)
        signal = np.zeros((len(slots), len(tail)), dtype=np.float32)
        signal[place, np.arange(len(tail))] = 1
        log_odds = signal @ self.reading[-len(tail) :] + self.expected[min(count, self.taps) - 1]
        log_odds += self.habit[slots, None]  # (X, b)
        if not self.adaptive:
            log_odds[:] = log_odds.mean(1, keepdims=True)
        odds = np.exp(np.minimum(log_odds, MOST))
        odds[place[-1]] = 0  # what was chosen just now is never due
        if keep is not None:
            odds *= keep
        each, through = odds.sum(1), odds.sum(0)
        scores = np.log(each + np.float32(LEAST))
        everything = each.sum() + np.float32(max(1, self.items - len(slots)))
        evidence = np.append(np.log1p(through), np.log(everything)) * EVIDENCE_SCALE
        return Rhythm(
            (each / everything) @ self.vectors[slots],
            through / everything,
            np.append(evidence, each.max() / everything).astype(np.float32),
            (slots, scores),
        )
