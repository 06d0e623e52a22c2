"""`ReturnBranch`, who comes back, for one history at a time."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit

from m2rec.model.frequency.periodic import LEAST, ReturnBranch
from m2rec.model.items import ItemTable
from m2rec.model.serving.arrays import weights_of
from m2rec.model.serving.rhythm import Rhythm

STEPS = np.array([-1, 0, 1])  # a step ago, now, a step on


@dataclass(frozen=True)
class CountState:
    """What the branch carries from item to item, beside the newest items."""

    count: int  # how many items there have been
    rivals: np.ndarray  # (W + 3, b + 1), of the newest of them, newest last


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
        self.surprise_bias = float(branch.surprise_bias)
        self.late, self.early = weights_of(branch.late.sigmoid()), weights_of(branch.early.sigmoid())
        self.log_late, self.log_early = np.log(self.late), np.log(self.early)
        self.explaining_away, self.near = float(branch.explaining_away), branch.near.numpy()  # (), (W + 4, b)
        self.log_odds_scale = np.float32(branch.log_odds_scale)
        self.vectors = table.unit.numpy()

    def start(self) -> CountState:
        """The state before the first item."""
        return CountState(0, np.zeros((self.taps, self.bands + 1), dtype=np.float32))

    def last(self, items: np.ndarray, keep: np.ndarray | None) -> Rhythm:
        """items (L,) → over (), and how well each of the items was explained before it came."""
        called = self._called(np.concatenate([[0], items[:-1]]), items)
        place = np.arange(len(items))
        source = place[:, None] - 1 - np.arange(self.window + 1)  # [t, lag]
        back = np.maximum(source, 0)
        came = (items[back] == items[:, None]) & (source >= 0)  # (L, W + 1)
        heard = came * expit(self.surprise_bias - called).astype(np.float32)[back]
        rivals, log_odds = self._rivals(came, heard, items, place)
        before = rivals[np.maximum(place - 1 - came.argmax(1), 0)]
        due = self._was_due(log_odds, before, came, place)
        return self._newest(items[-self.taps :], called, rivals, len(items), keep, (called, due))

    def step(self, tail: np.ndarray, state: CountState, keep: np.ndarray | None) -> tuple[Rhythm, CountState]:
        """The newest items (W + 3,), newest last, zeros before the first → over (), and the new state."""
        count = state.count + 1
        tail = tail[-min(count, self.taps) :]
        called = self._called(np.concatenate([[0], tail[:-1]]), tail)
        came, heard = self._by_lag(tail[:-1], called[:-1], tail[-1:], np.zeros(max(0, len(tail) - 1), dtype=int))
        earlier = np.array([state.count])
        rivals, log_odds = self._rivals(came, heard, tail[-1:], earlier)
        due = self._was_due(log_odds, state.rivals[-1 - came.argmax(1)], came, earlier)
        after = CountState(count, np.concatenate([state.rivals[1:], rivals]))
        return self._newest(tail, called, after.rivals, count, keep, (called[-1:], due)), after

    def _newest(
        self,
        tail: np.ndarray,
        called: np.ndarray,
        rivals: np.ndarray,
        count: int,
        keep: np.ndarray | None,
        explained: tuple[np.ndarray, np.ndarray],
    ) -> Rhythm:
        """tail, called and rivals of the newest items, newest last, as many as there are; count of all → over ()."""
        tail, called = tail[-self.window - 1 :], called[-self.window - 1 :]
        slots, place = np.unique(tail, return_inverse=True)
        came, heard = self._by_lag(tail, called, slots, place)
        counts = np.full(len(slots), count)
        log_odds = self._log_odds(heard, slots, counts)
        due = self._due(log_odds, rivals[-1 - came.argmax(1)], came, counts, keep)
        known = came[:, :-1].any(1)
        slots, due = slots[known], due[known]
        each, through = due.sum(1), due.sum(0)
        total = each.sum()
        certain = np.exp(self.log_odds_scale)
        everything = certain * total + np.float32(max(1, self.items - len(slots)))
        share = certain * each / everything
        summary = [min(total, 3.0), np.log(total + np.float32(1e-4)) / 4, share.max(initial=0)]
        return Rhythm(
            share @ self.vectors[slots],
            certain * through / everything,
            np.append(through, summary).astype(np.float32),
            (slots, self._scores(each)),
            explained,
        )

    def _called(self, before: np.ndarray, items: np.ndarray) -> np.ndarray:
        return np.einsum("nd,nd->n", self.called[before], self.came[items])

    def _by_lag(
        self, tail: np.ndarray, called: np.ndarray, slots: np.ndarray, place: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """When each of the items in `slots` came, and how loud, by lag from the newest of `tail`: (n, W + 1) each.

        place (t,) is the slot of each of the tail; what is in no slot of its own is compared with the one there is.
        """
        tail, called, place = (part[::-1][: self.window + 1] for part in (tail, called, place))
        came = np.zeros((len(slots), self.window + 1), dtype=bool)
        came[place, np.arange(len(tail))] = slots[place] == tail
        heard = np.zeros(came.shape, dtype=np.float32)
        heard[:, : len(tail)] = expit(self.surprise_bias - called)
        return came, heard * came

    def _rivals(
        self, came: np.ndarray, heard: np.ndarray, items: np.ndarray, count: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """How well rhythms explained items (n,), which came (n, W + 1) by lag → (n, b + 1), and `_log_odds`."""
        rivals = np.zeros((len(items), self.bands + 1), dtype=np.float32)
        log_odds = np.zeros((len(items), 3, self.bands), dtype=np.float32)
        again = came.any(1)
        log_odds[again] = self._log_odds(heard[again], items[again], count[again])
        told = came[:, :-1].any(1) & ~came[:, 0]
        late = np.where(self._may_be_late(came, count)[:, None], log_odds[:, 0] + self.log_late, -np.inf)
        ways = np.logaddexp(np.logaddexp(log_odds[:, 1], late), log_odds[:, 2] + self.log_early)[told]
        others = np.where(np.eye(self.bands, dtype=bool), -np.inf, ways[:, None])
        everything = np.concatenate([others, ways[:, None]], axis=1)  # (n, b + 1, b)
        rivals[told] = np.logaddexp(0, np.logaddexp.reduce(everything, axis=2))
        return rivals, log_odds

    def _was_due(self, log_odds: np.ndarray, before: np.ndarray, came: np.ndarray, count: np.ndarray) -> np.ndarray:
        """s of items that came (n, W + 1) by lag; before (n, b + 1) are the rivals of their last coming → (n,)."""
        due = self._due(log_odds, before, came, count, None)
        return np.where(came[:, :-1].any(1), self._scores(due.sum(1)), np.float32(0))

    def _log_odds(self, heard: np.ndarray, items: np.ndarray, count: np.ndarray) -> np.ndarray:
        """As `ReturnBranch._log_odds`, (n, 3, b)."""
        log_odds = (heard[:, ::-1] @ self.readings).reshape(-1, 3, self.bands)
        # the same limits as in `ReturnBranch.asked`: the row of a count holds what it asks
        log_odds += self.asked[np.clip(count[:, None] + STEPS, 0, self.window + 1)]
        return log_odds + self.habit[items, None, None]

    def _due(
        self, log_odds: np.ndarray, against: np.ndarray, came: np.ndarray, count: np.ndarray, keep: np.ndarray | None
    ) -> np.ndarray:
        """d of items that came (n, W + 1) by lag; against (n, b + 1) are the rivals of their last coming → (n, b)."""
        own_phase = self.near[came.argmax(1)[:, None] + 1 + STEPS]  # (n, 3, b)
        log_odds = log_odds - self.explaining_away * np.where(own_phase, against[:, None, :-1], against[:, None, -1:])
        if not self.adaptive:
            log_odds[:] = log_odds.mean(2, keepdims=True)
        belief = expit(log_odds)
        if keep is not None:
            belief *= keep
        belief[~self._may_be_late(came, count), 0] = 0
        due = belief[:, 1] + self.late * belief[:, 0] + self.early * belief[:, 2]
        due[came[:, 0] | ~came[:, :-1].any(1)] = 0  # what was chosen just now is never due
        return due

    def _may_be_late(self, came: np.ndarray, count: np.ndarray) -> np.ndarray:
        """What came a step early is not late."""
        return (count > 1) & ~came[:, 1]

    def _scores(self, each: np.ndarray) -> np.ndarray:
        return (self.log_odds_scale + np.log(each + np.float32(LEAST))).astype(np.float32)
