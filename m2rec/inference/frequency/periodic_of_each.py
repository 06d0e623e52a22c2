"""What the periodic branch says after each of several histories: of an item whose choices are those of the first
history, what is known from there.

Glossary (otherwise as in `periodic.py` and in `recurrence_bank.py`)
    rows      questions how due an item is: one for each choice that came before, and one for each item after the last
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from m2rec.inference.arrays import sigmoid
from m2rec.inference.branch import BranchInput
from m2rec.inference.explanations import Explanations
from m2rec.inference.frequency.periodic_positions import Positions

if TYPE_CHECKING:
    from m2rec.inference.frequency.periodic import Periodic


class _Rows(NamedTuple):
    """n questions: of which history, before which position (L: after the last), about which of the items; how long ago
    that was chosen, and the log-odds of all three steps (n, 3 b) without other bands.
    """

    history: np.ndarray
    at: np.ndarray
    slot: np.ndarray
    gap: np.ndarray
    log_odds: np.ndarray

    def where(self, chosen: np.ndarray) -> "_Rows":
        return _Rows(*(part[chosen] for part in self))


def newest_of_each(branch: "Periodic", given: BranchInput) -> tuple[Positions, Explanations]:
    """Items int64 (B, L) → what is due at the newest position, a row for each history, and explanations (B, L)."""
    bank, items = branch.bank, given.items
    count, length = items.shape
    slots, place = np.unique(items, return_inverse=True)
    place = place.reshape(items.shape)
    transition, weights, changed = _transitions(branch, items)
    moved = np.zeros((count, len(slots)), dtype=bool)  # items whose choices are not as in the first history
    history, at = np.nonzero(changed)
    moved[history, place[history, at]] = moved[history, place[0, at]] = True
    moved[0] = True

    rows = _rows(branch, slots, place, weights, moved)
    not_late = rows.at < 2  # there was no step before the first, and an item that came a step early is not late
    not_late |= place[rows.history, np.maximum(rows.at - 2, 0)] == rows.slot
    eligible = (rows.gap > 1) & (rows.gap <= bank.window)
    judged = np.flatnonzero(eligible & (rows.at < length))
    others = np.zeros((len(judged) + 1, bank.bands + 1), dtype=np.float32)  # the last row: of what nothing explained
    others[:-1] = bank.other_bands(rows.log_odds[judged], not_late[judged])
    row_of = np.full(items.shape, len(judged))
    row_of[rows.history[judged], rows.at[judged]] = np.arange(len(judged))
    last = row_of[rows.history, rows.at - rows.gap]
    explained = np.flatnonzero(last < len(judged))
    rows.log_odds[explained] -= bank.excluded(others[last[explained]], rows.gap[explained])

    before = rows.at < length
    each = bank.due(rows.log_odds[before], not_late[before], None).sum(1) * eligible[before]
    due = np.zeros(items.shape, dtype=np.float32)
    in_window = rows.gap[before] <= bank.window
    due[rows.history[before], rows.at[before]] = np.where(in_window, bank.scores(each), np.float32(0))
    due = np.where(np.take_along_axis(moved, place, axis=1), due, due[0])

    after = rows.where(~before & (rows.gap <= bank.window))
    recur = bank.due(after.log_odds, not_late[~before & (rows.gap <= bank.window)], given.band_keep)
    recur[after.gap == 1] = 0  # the newest choice is never due
    every = np.zeros((count, len(slots), bank.bands), dtype=np.float32)
    every[after.history, after.slot] = recur
    there = np.zeros(moved.shape, dtype=bool)
    there[after.history, after.slot] = True
    every, there = np.where(moved[..., None], every, every[0]), np.where(moved, there, there[0])
    return Positions(slots, every.sum(2), every.sum(1), there), Explanations(transition, due)


def _transitions(branch: "Periodic", items: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds that each choice followed from the one before it, its weight, and where one of the two may differ from
    the first history: (B, L) each.
    """
    previous = np.concatenate([np.zeros((len(items), 1), dtype=np.int64), items[:, :-1]], axis=1)
    changed = (items != items[0]) | (previous != previous[0])
    first = np.einsum("nd,nd->n", branch.queries[previous[0]], branch.vectors[items[0]])
    transition = np.repeat(first[None], len(items), axis=0)
    transition[changed] = np.einsum("nd,nd->n", branch.queries[previous[changed]], branch.vectors[items[changed]])
    return transition, sigmoid(branch.surprise_bias - transition), changed


def _rows(branch: "Periodic", slots: np.ndarray, place: np.ndarray, weights: np.ndarray, moved: np.ndarray) -> _Rows:
    """About the items that `moved`, wherever the filter still reaches a choice of theirs."""
    bank, (count, length) = branch.bank, place.shape
    history, at = np.nonzero(np.take_along_axis(moved, place, axis=1))
    slot = place[history, at]
    newest, item = np.nonzero(moved)  # and after the last choice
    history, slot = np.concatenate([history, newest]), np.concatenate([slot, item])
    at = np.concatenate([at, np.full(len(newest), length)])
    reach = min(bank.reach, length)
    nothing = np.full((count, reach), -1)
    known, of_each = np.concatenate([nothing, place], axis=1), np.concatenate([0 * nothing, weights], axis=1)
    near = at[:, None] + np.arange(reach)  # oldest first
    same = known[history[:, None], near] == slot[:, None]
    found = same.any(1)
    history, at, slot, near, same = history[found], at[found], slot[found], near[found], same[found]
    weighted = (of_each[history[:, None], near] * same).astype(np.float32)
    log_odds = weighted @ bank.readings[bank.reach - reach :]
    log_odds += bank.prior(branch.habit[slots[slot]], at)
    return _Rows(history, at, slot, same[:, ::-1].argmax(1) + 1, log_odds)
