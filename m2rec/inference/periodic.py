"""`m2rec.model.frequency.periodic.PeriodicBranch` for one history: which items are due to recur, and by which period.

Glossary (otherwise as in the branch)
    context the newest items before those that are read, as many as the filter reaches, with their weights and scores
    slots     the different items of context and reading, X of them
    rounds    F_b,i(t), the response of band b to item i; belief h, recurrence d as in the branch
"""

from dataclasses import dataclass, replace

import numpy as np

from m2rec.inference.arrays import Weights, gelu, sigmoid
from m2rec.inference.branch import PerItem
from m2rec.inference.evidence import Explanations, FrequencyRead, Recurrence
from m2rec.inference.filters import balanced, impulse_response
from m2rec.inference.items import ItemArrays
from m2rec.model.config import ModelConfig

LEAST = np.float32(1e-20)  # floor under a probability whose logarithm is taken, as in the branch
BLOCK = 256  # positions that are read at once: memory does not grow with the history
STEPS = np.array([-1, 0, 1])  # a step ago, now, a step on


@dataclass(frozen=True)
class PeriodicState:
    """The newest items, newest last, at most W + 2 of them, with their weights, and how many there have been in all."""

    items: np.ndarray  # int64 (m,)
    weights: np.ndarray  # (m,), how little of each was explained by the one before it
    others: np.ndarray  # (m, b + 1), how well other bands had explained each
    count: int


class Periodic(PerItem):
    """Items in, recurrence scores out."""

    habit: np.ndarray  # π, (V + 1,)
    queries: np.ndarray  # (V + 1, d), query for the item that follows each item
    vectors: np.ndarray
    unit: np.ndarray

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "frequency." in front."""
        self.window, self.competing = config.filter_length, config.warm_items  # W
        self.adaptive, self.bands = config.adaptive_filter, len(config.periods)
        self.band_periods = np.array(config.periods, dtype=np.float64)
        self.kernels = balanced(impulse_response(weights["transfer"]), config.periods)  # (b, W)
        newest_last = self.kernels[:, ::-1]
        # taps that give F a step ago, now and a step on from the newest W + 1 choices, newest last: (W + 1, 3 b)
        ago, now, on = (np.zeros((self.bands, self.window + 1), dtype=np.float32) for _ in STEPS)
        ago[:, :-1], now[:, 1:], on[:, 2:] = newest_last, newest_last, newest_last[:, :-1]
        self.readings = np.ascontiguousarray(np.concatenate([ago, now, on]).T)
        on_phase = np.arange(1, self.window + 1) % np.array(config.periods)[:, None] == 0
        never_failed = (self.kernels * on_phase).cumsum(-1)
        reached = never_failed[:, np.clip(np.arange(self.window + 2) - 1, 0, self.window - 1)]
        self.hit_rate, self.prior = sigmoid(weights["min_hit_rate"]), weights["band_bias"]  # ρ, β: (b,)
        self.threshold = np.ascontiguousarray(
            (self.prior[:, None] - self.hit_rate[:, None] * reached).T
        )  # (W + 2, b), by count
        gap = np.arange(self.window + 4)[:, None] % np.array(config.periods)
        self.near = np.minimum(gap, np.array(config.periods) - gap) <= 1  # (W + 4, b)
        self.late, self.early = sigmoid(weights["late"]), sigmoid(weights["early"])
        self.log_late, self.log_early = np.log(self.late), np.log(self.early)
        self.explaining_away = np.float32(weights["explaining_away"])
        self.log_odds_scale = np.float32(weights["log_odds_scale"])
        self.scale = np.exp(self.log_odds_scale)
        self.surprise_bias = np.float32(weights["surprise_bias"])
        self.habit_weight, self.habit_bias = weights["habit.weight"][0], weights["habit.bias"][0]
        self.query = tuple(weights[f"transition_query.{name}"] for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
        self.by_lag = np.ascontiguousarray(self.kernels.T)  # (W, b)
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
        none = np.zeros((0, self.bands + 1), dtype=np.float32)
        return PeriodicState(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32), none, 0)

    def last(self, items: np.ndarray, band_keep: np.ndarray | None) -> FrequencyRead:
        """The newest position of a whole history. items (L,) → over (1,), and explanations of all."""
        return self._read(items, self.start(), band_keep, newest_only=True)[0]

    def advance(
        self,
        items: np.ndarray,
        state: PeriodicState,
        band_keep: np.ndarray | None,
        each: list[Recurrence] | None = None,
    ) -> tuple[FrequencyRead, PeriodicState]:
        """All positions of a continuation. items (n,) → over (n,), and the state after the last.

        To `each`, where it is given, is added what may recur at every one of these positions.
        """
        parts = []
        for at in range(0, len(items), BLOCK):
            block = items[at : at + BLOCK]
            read, state = self._read(block, state, band_keep, newest_only=len(block) == 1, each=each)
            parts.append(read)
        return (parts[0] if len(parts) == 1 else _joined(parts)), state

    def _read(
        self,
        items: np.ndarray,
        state: PeriodicState,
        band_keep: np.ndarray | None,
        newest_only: bool,
        each: list[Recurrence] | None = None,
    ) -> tuple[FrequencyRead, PeriodicState]:
        before = len(state.items)
        known = np.concatenate([state.items, items])
        previous = np.concatenate([[state.items[-1] if before else 0], items[:-1]]).astype(np.int64)
        transition = np.einsum("nd,nd->n", self.queries[previous], self.vectors[items])
        weights = np.concatenate([state.weights, sigmoid(self.surprise_bias - transition)])
        others, due = self._judge(known, weights, state.others, before, state.count)
        explanations = Explanations(transition, due)
        if newest_only:
            read = self._newest(known, weights, others, state.count + len(items), band_keep, explanations)
            if each is not None and read.recurrence is not None:
                each.append(read.recurrence)
        else:
            read = self._everywhere(known, weights, others, before, state.count, band_keep, explanations, each)
        tail = slice(-self.window - 2, None)
        # copied, so that the rest can be freed
        after = PeriodicState(known[tail].copy(), weights[tail].copy(), others[tail].copy(), state.count + len(items))
        return read, after

    def nothing_due(self) -> np.ndarray:
        """The evidence where no item is due: (e,)."""
        none = np.zeros(1, dtype=np.float32)
        return np.concatenate([np.zeros(self.bands, dtype=np.float32), *_summary(none), none])

    # ── explanations of each choice before it was made ────────────────────────────────────────────────────

    def _judge(
        self, known: np.ndarray, weights: np.ndarray, others: np.ndarray, before: int, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """How well the rhythms known before it explained each of `known` (m + n,) from `before` = m on.

        others (m, b + 1) are the context's → others (m + n, b + 1), and log-odds (n,) that the item was due.
        """
        items, reach = known[before:], self.window + 1
        padded = np.concatenate([np.zeros(max(0, reach - before), dtype=np.int64), known[:-1]])[
            -reach - len(items) + 1 :
        ]
        occurred = np.lib.stride_tricks.sliding_window_view(padded, reach) == items[:, None]  # newest last, (n, W + 1)
        again = occurred.any(1)
        found = np.zeros((len(items), self.bands + 1), dtype=np.float32)
        due = np.zeros(len(items), dtype=np.float32)
        others = np.concatenate([others, found])
        if not again.any():
            return others, due
        padding = np.zeros(max(0, reach - before), dtype=np.float32)
        loud = np.concatenate([padding, weights[:-1]])[-reach - len(items) + 1 :]
        occurred, place = occurred[again], np.flatnonzero(again)
        weighted = occurred * np.lib.stride_tricks.sliding_window_view(loud, reach)[again]
        earlier = count + place  # how many items there were before each
        log_odds = self._log_odds(weighted, items[again], earlier)
        lag = occurred[:, ::-1].argmax(1)  # of the newest of the same item
        may_be_late = (earlier > 1) & ~occurred[:, -2]
        in_window = occurred[:, 1:].any(1)
        heard = in_window & ~occurred[:, -1]
        late = np.where(may_be_late[:, None], log_odds[:, 0] + self.log_late, -np.inf)
        ways = np.stack([log_odds[:, 1], late, log_odds[:, 2] + self.log_early])[:, heard].astype(np.float64)
        odds = np.exp(np.minimum(ways, 700)).sum(0)  # (n', b)
        found[place[heard]] = np.log1p(_all_but_each(odds))
        others[before:] = found
        last = before + place - 1 - lag
        beliefs = self._belief(log_odds - self._excluded(others[last], lag[:, None] + 1 + STEPS), None)
        beliefs[~may_be_late, 0] = 0
        each = (beliefs[:, 1] + self.late * beliefs[:, 0] + self.early * beliefs[:, 2]).sum(1) * heard
        due[again] = np.where(in_window, self._scores(each), np.float32(0))
        return others, due

    def _log_odds(self, weighted: np.ndarray, items: np.ndarray, count: np.ndarray) -> np.ndarray:
        """That each band has items (n,) due, from their choices (n, W + 1), newest last, after `count` (n,) items.

        → (n, 3, b), a step ago, now and a step on.
        """
        log_odds = (weighted @ self.readings).reshape(-1, 3, self.bands)
        log_odds += self.threshold[np.clip(count[:, None] + STEPS, 0, self.window + 1)]
        result: np.ndarray = log_odds + self.habit[items, None, None]
        return result

    def _excluded(self, others: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """ε·R, which depends on the phase. others (n, b + 1) at the last choice, gap (n, 3) since then → (n, 3, b)."""
        return self.explaining_away * np.where(self.near[gap], others[:, None, :-1], others[:, None, -1:])

    def _belief(self, log_odds: np.ndarray, band_keep: np.ndarray | None) -> np.ndarray:
        """h (…, b); the ablation without content weighs all bands alike."""
        if not self.adaptive:
            log_odds = np.broadcast_to(log_odds.mean(-1, keepdims=True), log_odds.shape)
        belief = sigmoid(log_odds)
        return belief if band_keep is None else belief * band_keep

    def _scores(self, each: np.ndarray) -> np.ndarray:
        return (self.log_odds_scale + np.log(each + LEAST)).astype(np.float32)

    # ── the newest position alone ───────────────────────────────────────────────────────────────────────────

    def _newest(
        self,
        known: np.ndarray,
        weights: np.ndarray,
        others: np.ndarray,
        count: int,
        band_keep: np.ndarray | None,
        explanations: Explanations,
    ) -> FrequencyRead:
        reach = self.window + 1
        tail, loud, others = known[-reach:], weights[-reach:], others[-reach:]
        slots, place = np.unique(tail, return_inverse=True)
        weighted = np.zeros((len(slots), reach), dtype=np.float32)
        weighted[place, np.arange(reach - len(tail), reach)] = loud
        last = np.zeros(len(slots), dtype=np.int64)
        last[place] = np.arange(len(tail))  # of several, the newest stays
        lag = len(tail) - 1 - last
        log_odds = self._log_odds(weighted, slots, np.full(len(slots), count))
        beliefs = self._belief(log_odds - self._excluded(others[last], lag[:, None] + 1 + STEPS), band_keep)
        beliefs[place[-2:-1], 0] = 0  # an item that occurred a step early is not late
        if count < 2:
            beliefs[:, 0] = 0
        in_window = lag < self.window
        recur = beliefs[:, 1] + self.late * beliefs[:, 0] + self.early * beliefs[:, 2]
        recur[lag == 0] = 0  # the newest choice is never due
        recur, slots = recur[in_window], slots[in_window]
        return self._finish(slots, recur.sum(1)[None], recur.sum(0)[None], np.array([len(slots)]), explanations)

    # ── all positions ───────────────────────────────────────────────────────────────────────────────────────

    def _everywhere(
        self,
        known: np.ndarray,
        weights: np.ndarray,
        others: np.ndarray,
        before: int,
        count: int,
        band_keep: np.ndarray | None,
        explanations: Explanations,
        at_each: list[Recurrence] | None,
    ) -> FrequencyRead:
        slots, place = np.unique(known, return_inverse=True)
        total, read = len(known), len(known) - before
        first = before - 1  # a step before the first position, for what is late there; a step after the last, for early
        times = read + 2
        counts = count + np.arange(times)  # of the items at each of these times
        log_odds = np.empty((len(slots), times, self.bands), dtype=np.float32)
        log_odds[:] = self.threshold[np.clip(counts, 0, self.window + 1)]
        log_odds += self.habit[slots, None, None]
        for at, slot in enumerate(place):
            begin = max(at, first)
            end = min(at + self.window, total + 1)  # outside the window of the filter
            if end > begin:
                log_odds[slot, begin - first : end - first] += weights[at] * self.by_lag[begin - at : end - at]
        last = np.full((len(slots), times), -1, dtype=np.int64)  # place of each item's last choice at each time …
        last[place, np.maximum(np.arange(total) - first, 0)] = np.arange(total)  # of several, the newest stays
        np.maximum.accumulate(last, axis=1, out=last)
        earlier = np.concatenate([last[:, :1], last[:, :-1]], axis=1)  # … and before it
        gap = np.arange(first, total + 1) + 1 - earlier
        # an item has one rhythm: other bands that explained its last choice are evidence against each
        slot, time = np.nonzero((others.max(1) > 0)[earlier] & (earlier >= 0) & (gap <= self.window + 1))
        chosen, since = others[earlier[slot, time]], self.near[gap[slot, time]]
        log_odds[slot, time] -= self.explaining_away * np.where(since, chosen[:, :-1], chosen[:, -1:])
        belief = self._belief(log_odds, band_keep)
        if count == 0:
            belief[:, 0] = 0  # there was no step before the first
        recur = belief[:, 2:] * self.early  # in place from here on: fresh memory costs more than the arithmetic
        recur += belief[:, 1:-1]
        late = belief[:, :-2]
        late *= self.late
        just = np.arange(max(first, 0), total - 1)
        late[place[just], just - first] = 0  # an item that occurred a step early is not late
        recur += late
        now = np.arange(before, total)
        last = last[:, 1:-1]
        heard: np.ndarray = np.asarray((last >= 0) & (now - last < self.window))
        in_window = heard.sum(0)
        heard[place[now], now - before] = False  # the newest choice is never due
        recur *= heard[..., None]
        each, through = recur.sum(2), recur.sum(0)
        heard[place[now], now - before] = True
        if at_each is not None:
            scores = self._scores(each)
            at_each += [Recurrence(slots[there], row[there]) for there, row in zip(heard.T, scores.T, strict=True)]
        return self._finish(slots, each.T, through, in_window, explanations, heard[:, -1])

    def _finish(
        self,
        slots: np.ndarray,
        each: np.ndarray,
        through: np.ndarray,
        in_window: np.ndarray,
        explanations: Explanations,
        now: np.ndarray | None = None,
    ) -> FrequencyRead:
        """slots (X,), how due each is (n, X) and through which band (n, b), how many are in the window (n,); `now` (X,)
        which of the slots are in it at the newest position, all where None.
        """
        total = each.sum(1, keepdims=True)
        everything = self.scale * total + np.maximum(self.competing - in_window, 1)[:, None].astype(np.float32)
        share = self.scale * each / everything
        summary = [*_summary(total), share.max(1, initial=0)[:, None]]
        newest = each[-1] if now is None else each[-1, now]
        return FrequencyRead(
            share @ self.unit[slots],
            np.concatenate([through, *summary], axis=1),
            (self.scale * through[-1] / everything[-1]),
            Recurrence(slots if now is None else slots[now], self._scores(newest)),
            explanations,
        )


def _summary(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The total that is due, as the gate reads it, from Σ d of any shape."""
    return np.minimum(total, 3), np.log(total + np.float32(1e-4)) / 4


def _joined(parts: list[FrequencyRead]) -> FrequencyRead:
    """Consecutive readings as one."""
    explanations = zip(*(part.explanations for part in parts), strict=True)
    return replace(
        parts[-1],
        vectors=np.concatenate([part.vectors for part in parts]),
        evidence=np.concatenate([part.evidence for part in parts]),
        explanations=Explanations(*map(np.concatenate, explanations)),
    )


def _all_but_each(odds: np.ndarray) -> np.ndarray:
    """Σ_{c≠b} of the odds for every b, and Σ_c after them: (n, b) → (n, b + 1). Summed from both ends: none cancels."""
    result = np.zeros((len(odds), odds.shape[1] + 1))
    result[:, 1:] = odds.cumsum(1)
    result[:, :-2] += odds[:, :0:-1].cumsum(1)[:, ::-1]
    return result
