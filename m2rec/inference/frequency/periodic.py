"""`m2rec.model.frequency.periodic.PeriodicBranch` for one history: which items are due to recur, and by which period.

Glossary (otherwise as in the branch)
    context   the newest items before those that are read, as many as the filter reaches, with their weights and scores
    slots     the different items of context and reading, X of them
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from m2rec.inference.arrays import Shapes, Weights, feed_shapes, gelu, sigmoid
from m2rec.inference.branch import Branch, BranchInput, BranchOutput
from m2rec.inference.explanations import Explanations
from m2rec.inference.frequency.occurrences import previous_places, slots_of
from m2rec.inference.frequency.periodic_of_each import newest_of_each
from m2rec.inference.frequency.periodic_positions import Positions, all_positions
from m2rec.inference.frequency.recurrence_bank import Recurrence, RecurrenceBank
from m2rec.inference.items import ItemArrays
from m2rec.model.config import ModelConfig

BLOCK = 256  # positions that are read at once: memory does not grow with the history


@dataclass(frozen=True)
class PeriodicState:
    """The newest items, newest last, at most W + 2 of them, with their weights, and how many there have been in all."""

    items: np.ndarray  # int64 (m,)
    weights: np.ndarray  # (m,), how little of each was explained by the one before it
    others: np.ndarray  # (m, b + 1), how well other bands had explained each
    count: int


class Periodic(Branch):
    """Items in, recurrence scores out (`m2rec.inference.branch.Branch`).

    `detail` has the bands' `gains` (b,) and the `recurrence`, what may recur.
    """

    normed = False
    explains = True

    habit: np.ndarray  # π, (V + 1,)
    queries: np.ndarray  # (V + 1, d), query for the item that follows each item
    vectors: np.ndarray
    unit: np.ndarray

    @staticmethod
    def evidence_width(config: ModelConfig) -> int:
        """As in `Branch`."""
        return len(config.periods) + 3

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """As in `Branch`."""
        d = config.width
        own: Shapes = {"habit.weight": (1, d + 1), "habit.bias": (1,), "surprise_bias": ()}
        return own | RecurrenceBank.shapes(config) | feed_shapes(0, d, 2 * d, d, 2, "transition_query")

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "frequency." in front."""
        self.catalogue, self.competing = config.items, config.warm_items
        self.band_periods = np.array(config.periods, dtype=np.float64)
        self.bank = RecurrenceBank(config, weights)
        self.kernels = self.bank.kernels
        self.surprise_bias = np.float32(weights["surprise_bias"])
        self.habit_weight, self.habit_bias = weights["habit.weight"][0], weights["habit.bias"][0]
        self.query = tuple(weights[f"transition_query.{name}"] for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
        self.take(items)
        self.queries[0] = 0  # no transition leads to the first item

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """Each item's prior of recurring, its transition query, and its vectors."""
        widen, widen_bias, narrow, narrow_bias = self.query
        habit = items.unit @ self.habit_weight[:-1] + items.bias * self.habit_weight[-1] + self.habit_bias
        queries = gelu(items.inputs @ widen.T + widen_bias) @ narrow.T + narrow_bias
        return {"habit": habit, "queries": queries, "vectors": items.vectors, "unit": items.unit}

    def start(self) -> PeriodicState:
        """The state before the first item."""
        none = np.zeros((0, self.bank.bands + 1), dtype=np.float32)
        return PeriodicState(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), none, 0)

    def last(self, given: BranchInput) -> BranchOutput:
        """The newest position of a whole history → over (1,), and explanations of all."""
        return self._read(given.items, self.start(), given, newest_only=True)[0]

    def last_of_each(self, given: BranchInput) -> BranchOutput:
        """As in `Branch`."""
        found, explanations = newest_of_each(self, given)
        recurrence = self._recurrences(found)
        return self._finish(found.slots, found.each, found.through, found.there.sum(1), recurrence, explanations)

    def advance(self, given: BranchInput, state: PeriodicState) -> tuple[BranchOutput, PeriodicState]:
        """All positions of a continuation → over (n,), and the state after the last."""
        parts = []
        for at in range(0, len(given.items), BLOCK):
            block = given.items[at : at + BLOCK]
            out, state = self._read(block, state, given, newest_only=len(block) == 1)
            parts.append(out)
        return BranchOutput.joined(parts), state

    def scores(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """As in `Branch`: 0 for what was never chosen."""
        scores = np.zeros((len(out.vectors), self.catalogue), dtype=np.float32)
        for row, (items, known) in zip(scores, out.detail["recurrence"], strict=True):
            ranked = items <= self.catalogue
            row[items[ranked] - 1] = known[ranked]
        return scores

    def silent(self) -> BranchOutput:
        """As in `Branch`: where no item is due."""
        none = np.zeros(1, dtype=np.float32)
        evidence = np.concatenate([np.zeros(self.bank.bands, dtype=np.float32), *_summary(none), none])
        return BranchOutput(np.zeros((1, self.unit.shape[1]), dtype=np.float32), evidence[None])

    def _read(
        self, items: np.ndarray, state: PeriodicState, given: BranchInput, newest_only: bool
    ) -> tuple[BranchOutput, PeriodicState]:
        """A part of the items that are given."""
        before = len(state.items)
        known = np.concatenate([state.items, items])
        previous = known[before - 1 : -1] if before else np.concatenate([[0], items[:-1]])
        transition = np.einsum("nd,nd->n", self.queries[previous], self.vectors[items])
        weights = np.concatenate([state.weights, sigmoid(self.surprise_bias - transition)])
        others, due = self._judge(known, weights, state.others, before, state.count)
        explanations = Explanations(transition, due)
        count = state.count + len(items)
        if newest_only:
            out = self._newest(known, weights, others, count, given.band_keep, explanations)
        else:
            found = all_positions(self.bank, self.habit, known, weights, others, before, state.count, given.band_keep)
            recurrence = self._recurrences(found if given.at_each else found.newest)
            in_window = found.there.sum(1)
            out = self._finish(found.slots, found.each, found.through, in_window, recurrence, explanations)
        tail = slice(-self.bank.window - 2, None)
        # copied, so that the rest can be freed
        after = PeriodicState(known[tail].copy(), weights[tail].copy(), others[tail].copy(), count)
        return out, after

    def _recurrences(self, found: Positions) -> list[Recurrence]:
        scores = self.bank.scores(found.each)
        return [Recurrence(found.slots[there], row[there]) for there, row in zip(found.there, scores, strict=True)]

    def _judge(
        self, known: np.ndarray, weights: np.ndarray, others: np.ndarray, before: int, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """How well the rhythms known before it explained each of `known` (m + n,) from `before` = m on.

        others (m, b + 1) are the context's → others (m + n, b + 1), and log-odds (n,) that the item was due. Only items
        that came before within the filter's reach have anything to be explained by.
        """
        bank, read = self.bank, len(known) - before
        if read == 1:
            return self._judge_one(known, weights, others, count)
        others = np.concatenate([others, np.zeros((read, bank.bands + 1), dtype=np.float32)])
        due = np.zeros(read, dtype=np.float32)
        last = previous_places(known)
        at = np.flatnonzero((last >= 0) & (np.arange(len(known)) - last <= bank.reach))
        at = at[at >= before]
        if not len(at):
            return others, due
        last = last[at]
        for begin in range(0, len(at), BLOCK):
            part = slice(begin, begin + BLOCK)
            self._judge_again(known, weights, others, due, at[part], last[part], before, count)
        return others, due

    def _judge_one(
        self, known: np.ndarray, weights: np.ndarray, others: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same of the newest of `known` alone, in fewer calls: most single items did not come before."""
        bank, item = self.bank, known[-1:]
        near, of_each, due = known[-1 - bank.reach : -1], weights[-1 - bank.reach : -1], np.zeros(1, dtype=np.float32)
        others = np.concatenate([others, np.zeros((1, bank.bands + 1), dtype=np.float32)])
        same = np.flatnonzero(near == item)
        if not len(same) or (gap := len(near) - int(same[-1])) > bank.window:
            return others, due
        if gap == 1:  # what was chosen just before is not due
            return others, bank.scores(due)
        log_odds = (of_each[same] @ bank.readings[bank.reach - len(near) + same])[None]
        log_odds += bank.prior(self.habit[item], count)
        not_late = (near[-2:-1] == item) if count > 1 else np.ones(1, dtype=bool)
        judged = bank.other_bands(log_odds, not_late)
        log_odds -= bank.excluded(others[-1 - gap : -gap], np.array([gap]))
        others[-1] = judged[0]
        return others, bank.scores(bank.due(log_odds, not_late, None).sum(1))

    def _judge_again(
        self,
        known: np.ndarray,
        weights: np.ndarray,
        others: np.ndarray,
        due: np.ndarray,
        at: np.ndarray,
        last: np.ndarray,
        before: int,
        count: int,
    ) -> None:
        """The choices at `at` (n',), whose items were chosen before, at `last` (n',): fills in `others` and `due`.

        Those before them are filled in already: each is judged by what was known of the choice at `last`.
        """
        bank = self.bank
        items, gap = known[at], at - last
        earlier = count - before + at  # how many choices there were before each
        reach = min(bank.reach, int(at[-1]))  # there is nothing before the first
        begin = max(0, int(at[0]) - reach)
        width = int(at[-1]) - begin
        padding = max(0, reach - int(at[0]))
        near, of_each = known[begin : begin + width], weights[begin : begin + width]
        if padding:
            near, of_each = (np.concatenate([np.zeros(padding, part.dtype), part]) for part in (near, of_each))
        rows = at - at[0]
        same = sliding_window_view(near, reach)[rows] == items[:, None]
        weighted = same * sliding_window_view(of_each, reach)[rows]
        log_odds = weighted @ bank.readings[bank.reach - reach :]
        log_odds += bank.prior(self.habit[items], earlier)
        early = at >= 2
        early[early] = known[at[early] - 2] == items[early]
        not_late = early | (earlier < 2)
        in_window, now = gap <= bank.window, gap == 1
        eligible = in_window & ~now
        others[at[eligible]] = bank.other_bands(log_odds[eligible], not_late[eligible])
        log_odds -= bank.excluded(others[last], gap)
        each = bank.due(log_odds, not_late, None).sum(1) * eligible
        due[at - before] = np.where(in_window, bank.scores(each), np.float32(0))

    def _newest(
        self,
        known: np.ndarray,
        weights: np.ndarray,
        others: np.ndarray,
        count: int,
        band_keep: np.ndarray | None,
        explanations: Explanations,
    ) -> BranchOutput:
        bank = self.bank
        tail, of_each, others = known[-bank.reach :], weights[-bank.reach :], others[-bank.reach :]
        readings = bank.readings[bank.reach - len(tail) :]
        slots, last, repeated = slots_of(tail)
        log_odds = readings[last]
        log_odds *= of_each[last, None]
        if len(repeated):
            log_odds[repeated] = ((tail == slots[repeated, None]) * of_each) @ readings
        log_odds += bank.prior(self.habit[slots], count)
        explained = np.flatnonzero(others[last, -1])
        if len(explained):
            chosen = last[explained]
            log_odds[explained] -= bank.excluded(others[chosen], len(tail) - chosen)
        # an item that occurred a step early is not late, and nothing is before the second step
        not_late = slots == tail[-2] if count > 1 else np.ones(len(slots), dtype=bool)
        recur = bank.due(log_odds, not_late, band_keep)
        recur[last == len(tail) - 1] = 0  # the newest choice is never due
        in_window = last >= len(tail) - bank.window
        if not in_window.all():
            recur, slots = recur[in_window], slots[in_window]
        each, through, items_in_window = recur.sum(1), recur.sum(0), np.array([len(slots)])
        newest = Recurrence(slots, bank.scores(each))
        return self._finish(slots, each[None], through[None], items_in_window, [newest], explanations)

    def _finish(
        self,
        slots: np.ndarray,
        each: np.ndarray,
        through: np.ndarray,
        in_window: np.ndarray,
        recurrence: list[Recurrence],
        explanations: Explanations,
    ) -> BranchOutput:
        """slots (X,), how due each is (n, X) and through which band (n, b), how many are in the window (n,)."""
        scale = self.bank.scale
        total = each.sum(1, keepdims=True)
        everything = scale * total + np.maximum(self.competing - in_window, 1)[:, None].astype(np.float32)
        share = scale * each / everything
        summary = [*_summary(total), share.max(1, initial=0)[:, None]]
        return BranchOutput(
            share @ self.unit[slots],
            np.concatenate([through, *summary], axis=1),
            {"gains": scale * through / everything, "recurrence": recurrence},
            explanations,
        )


def _summary(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The total that is due, as the gate reads it, from Σ d of any shape."""
    return np.minimum(total, 3), np.log(total + np.float32(1e-4)) / 4
