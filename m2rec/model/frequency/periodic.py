"""Frequency branch over items: which of the items of this history is due to come back next, and by which period?

Every item of the history has a signal of its own, x_i(t) = w_t where it was chosen and 0 elsewhere; w_t, between 0 and
1, is small where the choice before it called for it anyway (tea → biscuits), since that says little about a habit. A
bank of filters, one a period, learned in the frequency domain, listens to all these signals at once:

    F_b,i(t) = (k_b * x_i)(t)                       response of band b to item i
    K_b(t)   = Σ_{n: n·p_b ≤ t+1} k_b(n·p_b − 1)    what a rhythm that never failed would have given by now
    h_b,i(t) = σ(F_b,i(t) − ρ_b·K_b(t) + β_b + π_i − ε·R_b,i(t))      belief that i keeps period b and is due at t + 1
    d_b,i(t) = h_b,i(t) + late_b·h_b,i(t−1) + early_b·h_b,i(t+1)          due now, overdue by one, or a step early
    s_i(t)   = c + log Σ_b d_b,i(t)                 log-odds that i comes next, against an item that was never chosen
    p(i | frequency) = softmax_i of s_i, and of 0 for every item outside the history

Rounds kept speak for a rhythm and rounds missed against it: the argument of σ is a log-odds, and belief saturates. π_i,
how readily item i becomes a habit at all, is read from its vector. An item keeps one rhythm: R_b,i, how well all others
had explained its last coming before it came, log(1 + Σ their odds), speaks against band b (band b itself counts among
them where it would have to fall on another phase now). Which bands are open is thus a matter of content: a period that
this history does not hold has no item to pass on (the paper's adaptive filter). `gains` is the share of the branch's
answer that comes through each band.

What keeps the branch to rhythms alone (a gate has nothing to tell apart where branches can do one another's work):

* it compares items by identity, so nothing that is merely alike can pass;
* what was chosen just now is never due, so order cannot pass;
* within each round of its period a band's taps sum to zero, so what comes often but without a period (a taste) cannot
  pass either: a band hears an item's return in excess of how often that item comes anyway.

h_b,i(t + 1) needs no look ahead: a band's taps begin half a round back, never at the newest item.

Glossary: X slots, one for each distinct item of a history; b bands; W taps (`filter_length`).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.config import ModelConfig
from m2rec.model.explanations import Explained
from m2rec.model.frequency.filters import comb, impulse_response, transfer_function
from m2rec.model.frequency.item_signals import (
    all_but_each,
    at_newest,
    distinct,
    in_window,
)
from m2rec.model.frequency.recurrence import Due, FrequencyOut
from m2rec.model.frequency.recurrence_sums import Recurrence, recurrence_sums, recurrence_sums_plain
from m2rec.model.items import ItemTable

LEAST = 1e-20  # belief below which nothing is told apart
ROUND = 6.5  # what one kept round is worth at the start of training, in log-odds …
BESIDE = 3.5  # … and one kept a step early or late, for periods long enough to tell
SHORTEST_WITH_SLIPS = 4
KEPT = 0.42  # share of the rounds that has to be kept, at the start of training
OVERDUE, AHEAD = 0.4, 0.04  # how likely a rhythm is a step late where it did not come, or a step early, at the start
CERTAIN = 8.0  # c at the start: log-odds of what is sure to be due


@dataclass
class ReturnState:
    """What the branch carries from item to item."""

    tail: Tensor  # int64 (B, W + 3), the newest items, newest last, 0 before the first
    rivals: Tensor  # (B, W + 3, b + 1), how well other rhythms had explained each of them
    count: Tensor  # int64 (B,), how many items there have been


class ReturnBranch(nn.Module):
    """Items in, who is due out."""

    rounds: Tensor
    on_phase: Tensor
    near: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.taps = config.filter_length  # W
        self.items = config.warm_items  # what competes in training: new arrivals change no evidence
        self.adaptive = config.adaptive_filter
        self.bands = len(config.periods)
        self.band_periods = tuple(map(float, config.periods))
        self._kept: tuple[tuple[int, torch.device], Tensor] | None = None  # kernels, where nothing is learnt
        self.transfer = nn.Parameter(transfer_function(_initial_kernels(config)))  # H: (b, W + 1, 2)
        self.min_hit_rate = nn.Parameter(torch.full((self.bands,), KEPT).logit())  # ρ, as a logit
        # β: at first all bands are equally likely, and so are a band's phases
        self.band_bias = nn.Parameter(-torch.tensor([math.log(self.bands * period) for period in config.periods]))
        self.late = nn.Parameter(torch.full((self.bands,), OVERDUE).logit())  # late, as a logit
        self.early = nn.Parameter(torch.full((self.bands,), AHEAD).logit())  # early, as a logit
        self.explaining_away = nn.Parameter(torch.tensor(0.5))  # ε
        self.log_odds_scale = nn.Parameter(torch.tensor(CERTAIN))  # c
        self.habit = nn.Linear(config.width + 1, 1)  # π, from an item's unit vector and its popularity
        nn.init.zeros_(self.habit.weight)
        nn.init.zeros_(self.habit.bias)
        # what an item calls for, to be compared with the item that came: w = σ(unexpected − ⟨calls, v⟩)
        self.transition_query = nn.Sequential(
            nn.Linear(config.width, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )
        self.surprise_bias = nn.Parameter(torch.tensor(2.0))
        period = torch.tensor(config.periods)[:, None]
        before = torch.arange(1, self.taps + 1)  # lag j lies j + 1 interactions before the next item
        # (b, W), 0 is the round under way; the newest item (lag 0) is in it for every period from 2 on
        self.register_buffer("rounds", (before + (period - 1) // 2) // period, persistent=False)
        gap = torch.arange(self.taps + 4)[:, None] % period[:, 0]
        # whether a coming and another so many interactions later can be of one phase, slips allowed: (W + 4, b)
        self.register_buffer("near", torch.minimum(gap, period[:, 0] - gap) <= 1, persistent=False)
        self.register_buffer("on_phase", (before % period == 0).float(), persistent=False)  # (b, W)

    @property
    def evidence_width(self) -> int:
        """Width of `FrequencyOut.evidence`."""
        return self.bands + 3

    def kernels(self) -> Tensor:
        """Impulse responses k: (b, W). Taps of one round sum to zero; the round that is still under way has none."""
        if torch.is_grad_enabled():
            return self._kernels()
        made_from = (self.transfer._version, self.transfer.device)
        if self._kept is None or self._kept[0] != made_from:
            self._kept = made_from, self._kernels()
        return self._kept[1]

    def _kernels(self) -> Tensor:
        response = impulse_response(self.transfer)
        rounds = response.new_zeros(self.bands, self.taps + 1)
        sums = rounds.scatter_add(1, self.rounds, response)
        sizes = rounds.scatter_add(1, self.rounds, torch.ones_like(response)).clamp(min=1)
        return (response - (sums / sizes).gather(1, self.rounds)) * (self.rounds > 0)

    def forward(self, items: Tensor, table: ItemTable, keep: Tensor | None = None) -> FrequencyOut:
        """All positions. items (B, L), right-padded with 0; keep (b,) 0/1 mutes bands. → (B, L, …)."""
        with torch.autocast(items.device.type, enabled=False):
            length = items.shape[1]
            slots, _ = distinct(items)  # (B, X)
            chosen = (slots[..., None] == items[:, None]) & (items > 0)[:, None]  # (B, X, L)
            called = self._called(F.pad(items[:, :-1], (1, 0)), items, table)
            weight = torch.sigmoid(self.surprise_bias - called)  # w: (B, L)
            kernels = self.kernels()
            rivals, explained = self._explain(items, called, table)
            known = in_window(chosen, self.taps)  # (B, X, L)
            place = torch.arange(1, length + 1, device=items.device)
            last = F.pad((chosen * place).cummax(-1).values, (1, 0)).clamp(min=1) - 1  # before each column
            inputs = Recurrence(
                signal=chosen * weight[:, None],
                kernels=kernels,
                offset=self.asked(kernels, torch.arange(1, length + 2, device=items.device)),
                prior=self.habit_of(slots, table),
                explaining_away=self.explaining_away,
                late=self.late.sigmoid(),
                early=self.early.sigmoid(),
                other_bands=rivals,
                last=last,
                same_phase=self.near,
                may_be_due=known & ~chosen,
                may_be_late=~F.pad(chosen[..., :-1], (1, 0)),  # what came a step early is not late
                band_keep=torch.ones_like(self.band_bias) if keep is None else keep.to(self.band_bias.dtype),
            )
            each, through = recurrence_sums(inputs) if self.adaptive else recurrence_sums_plain(inputs, adaptive=False)
            each = each.transpose(1, 2)  # (B, L, X)
            unit = F.embedding(slots, table.unit)
            return self._finish(slots, known.transpose(1, 2), each, through, unit, explained)

    def last(self, items: Tensor, table: ItemTable, lengths: Tensor, keep: Tensor | None = None) -> FrequencyOut:
        """The last real position only: sums over the window instead of a filter bank. items (B, L) → (B, …)."""
        with torch.autocast(items.device.type, enabled=False):
            rivals, explained = self._explain(items, self._called(F.pad(items[:, :-1], (1, 0)), items, table), table)
        reach = min(self.taps, items.shape[1]) + 3  # nothing is farther back than the beginning
        at = lengths[:, None] - reach + torch.arange(reach, device=items.device)  # newest last
        tail = items.gather(1, at.clamp(min=0)).where(at >= 0, 0)
        known = rivals.gather(1, at.clamp(min=0)[..., None].expand(-1, -1, self.bands + 1))
        return self._newest(tail, known, lengths, table, explained, keep)

    def step(
        self, item: Tensor, table: ItemTable, state: ReturnState, keep: Tensor | None = None
    ) -> tuple[FrequencyOut, ReturnState]:
        """One more item. item (B,) → (B, …) and the new state."""
        tail, count = torch.cat([state.tail[:, 1:], item[:, None]], dim=1), state.count + 1
        called = self._called(tail[:, :-1], tail[:, 1:], table)  # (B, W + 2), the newest last
        with torch.no_grad():
            came = (tail[:, 1:-1] == item[:, None]).flip(-1)[:, None]  # by lag: (B, 1, W + 1)
            heard = came * torch.sigmoid(self.surprise_bias - called)[:, None, :-1].flip(-1)
            before = state.rivals[:, 2:].flip(1)[:, None]  # by lag: (B, 1, W + 1, b + 1)
            rivals, was_due = self._judge(came, heard, before, item[:, None], state.count[:, None], table)
        state = ReturnState(tail, torch.cat([state.rivals[:, 1:], rivals], dim=1), count)
        explained = Explained(called[:, -1], was_due[:, 0])
        return self._newest(tail, state.rivals, count, table, explained, keep), state

    def start(self, batch: int) -> ReturnState:
        """The state before the first item."""
        device = self.band_bias.device
        return ReturnState(
            torch.zeros(batch, self.taps + 3, dtype=torch.int64, device=device),
            torch.zeros(batch, self.taps + 3, self.bands + 1, device=device),
            torch.zeros(batch, dtype=torch.int64, device=device),
        )

    def readings(self, kernels: Tensor) -> Tensor:
        """Taps that give F at t − 1, t and t + 1 from the newest W + 1 choices, newest last: (3, b, W + 1)."""
        newest_last = kernels.flip(-1)
        return torch.stack([F.pad(newest_last, (0, 1)), F.pad(newest_last, (1, 0)), F.pad(newest_last[:, :-1], (2, 0))])

    def _newest(
        self,
        tail: Tensor,
        rivals: Tensor,
        count: Tensor,
        table: ItemTable,
        explained: Explained,
        keep: Tensor | None,
    ) -> FrequencyOut:
        """tail (B, W + 3), rivals (B, W + 3, b + 1), newest last; count (B,) of all items there have been → (B, …)."""
        weight = self._surprise(tail[:, 1:-1], tail[:, 2:], table)  # (B, W + 1)
        tail, rivals = tail[:, 2:], rivals[:, 2:]
        slots, _ = distinct(tail)
        came = ((slots[..., None] == tail[:, None]) & (tail > 0)[:, None]).flip(-1)  # by lag: (B, X, W + 1)
        log_odds = self._log_odds(came * weight.flip(-1)[:, None], slots, count[:, None], table)
        against = at_newest(rivals.flip(1)[:, None], came)
        due, known = self._due(self._corrected(log_odds, against, came), came, count[:, None], keep)
        each, through = due.sum(2)[:, None], due.sum(1)[:, None]
        out = self._finish(slots, known[:, None], each, through, F.embedding(slots, table.unit), explained)
        newest = out.due.newest() if out.due else None
        return FrequencyOut(out.y[:, 0], out.gains[:, 0], out.evidence[:, 0], newest, explained)

    def _explain(self, items: Tensor, called: Tensor, table: ItemTable) -> tuple[Tensor, Explained]:
        """What was said of each choice before it was made. items, called (B, L) → rivals (B, L, b + 1), over (B, L)."""
        with torch.no_grad():
            place = torch.arange(items.shape[1], device=items.device)
            lags = torch.arange(min(self.taps, len(place)) + 1, device=items.device)
            source = place[:, None] - 1 - lags  # [t, lag]: lag + 1 before t
            back = source.clamp(min=0).expand(len(items), -1, -1)
            came = (items[:, :, None] == items[:, None]).gather(2, back) & (source >= 0)  # (B, L, W + 1)
            weight = torch.sigmoid(self.surprise_bias - called)
            heard = came * weight[:, None].expand(-1, len(place), -1).gather(2, back)
            rivals, was_due = self._judge(came, heard, None, items, place, table)
        return rivals, Explained(called, was_due)

    def _judge(
        self, came: Tensor, heard: Tensor, before: Tensor | None, items: Tensor, count: Tensor, table: ItemTable
    ) -> tuple[Tensor, Tensor]:
        """How well each of the choices `items` (B, n) was explained by the rhythms known before it.

        came, heard (B, n, W + 1) by lag; before (B, 1, W + 1, b + 1) the rivals of what came then, or None where all of
        it is judged here; count (B, n) of the items before each. → rivals (B, n, b + 1) and s (B, n).
        """
        log_odds = self._log_odds(heard, items, count, table)
        late = log_odds[..., 0].masked_fill(~self._may_be_late(came, count)[..., None], -math.inf)
        early = log_odds[..., 2] + F.logsigmoid(self.early)
        ways = torch.stack([log_odds[..., 1], late + F.logsigmoid(self.late), early])
        known = came[..., :-1].any(-1) & ~came[..., 0]
        rivals = ways.new_zeros(*known.shape, self.bands + 1)
        rivals[known] = all_but_each(ways.logsumexp(0)[known])  # most choices have no past
        if before is None:
            last = (count - 1 - came.int().argmax(-1)).clamp(min=0)  # where the same item came before
            at_last = rivals.gather(1, last[..., None].expand(-1, -1, self.bands + 1))
        else:
            at_last = at_newest(before, came)
        due, known = self._due(self._corrected(log_odds, at_last, came), came, count, None)
        return rivals, self._scores(due.sum(-1), known)

    def _excluded(self, against: Tensor, gap: Tensor) -> Tensor:
        """ε·R, which depends on the phase: against (B, X, b + 1, …) is weighed with ε already, gap (B, X, …) is how
        long ago the last coming was → (B, X, b, …).
        """
        own_phase = self.near[gap.clamp(max=len(self.near) - 1)].movedim(-1, 2)
        return torch.where(own_phase, against[:, :, :-1], against[:, :, -1:])

    def _corrected(self, log_odds: Tensor, against: Tensor, came: Tensor) -> Tensor:
        """`_log_odds` (B, n, b, 3) less ε·R, against (B, n, b + 1) at the last coming: came (B, n, W + 1) by lag."""
        steps = torch.arange(3, device=came.device)  # a step ago, now, a step on
        against = (self.explaining_away * against)[..., None].expand(-1, -1, -1, 3)
        return log_odds - self._excluded(against, came.int().argmax(-1, True) + steps)

    def _log_odds(self, heard: Tensor, items: Tensor, count: Tensor, table: ItemTable) -> Tensor:
        """That each band has items (B, n) due, heard (B, n, ≤ W + 1) by lag from the newest of `count` (B, n) so far.

        → (B, n, b, 3), a step ago, now and a step on.
        """
        by_lag = self.readings(self.kernels()).flip(-1)[..., : heard.shape[-1]]
        response = torch.einsum("bnw,mkw->bnkm", heard, by_lag)
        asked = torch.stack([self.asked(self.kernels(), count.flatten() + step).T for step in (-1, 0, 1)], -1)
        return response + asked.view(*count.shape, self.bands, 3) + self.habit_of(items, table)[..., None, None]

    def _due(self, log_odds: Tensor, came: Tensor, count: Tensor, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """d (B, n, b) from `_log_odds`, and which items are in the window (B, n)."""
        belief = self._belief(log_odds, keep)
        before = belief[..., 0] * self._may_be_late(came, count)[..., None]
        due = belief[..., 1] + self.late.sigmoid() * before + self.early.sigmoid() * belief[..., 2]
        known = came[..., :-1].any(-1)
        return due * (known & ~came[..., 0])[..., None], known

    def _may_be_late(self, came: Tensor, count: Tensor) -> Tensor:
        """What came a step early is not late."""
        return (count > 1) & ~came[..., 1]

    def _scores(self, each: Tensor, known: Tensor) -> Tensor:
        """s from Σ_b d; an item that has not been chosen yet, or not for long, is like any other: odds of 1."""
        return (self.log_odds_scale + (each + LEAST).log()).where(known, 0)

    def asked(self, kernels: Tensor, count: Tensor) -> Tensor:
        """What each band asks of every item: β − ρ·K after `count` (n,) items, or the newest W of them → (b, n)."""
        never_failed = (kernels * self.on_phase).cumsum(-1)
        reached = never_failed[:, (count - 1).clamp(min=0, max=self.taps - 1)]
        return self.band_bias[:, None] - self.min_hit_rate.sigmoid()[:, None] * reached

    def habit_of(self, slots: Tensor, table: ItemTable) -> Tensor:
        """π of the items in the slots. (B, X) → (B, X)."""
        vectors = torch.cat([F.embedding(slots, table.unit), F.embedding(slots, table.bias)], dim=-1)
        return self.habit(vectors)[..., 0]

    def called_for(self, items: Tensor) -> Tensor:
        """What items call for next, from what the temporal branch reads of them: (n, d) → (n, d)."""
        return self.transition_query(items)

    def _surprise(self, before: Tensor, items: Tensor, table: ItemTable) -> Tensor:
        """w: how little of each choice is explained by the one before it. (B, L), (B, L) → (B, L)."""
        return torch.sigmoid(self.surprise_bias - self._called(before, items, table))

    def _called(self, before: Tensor, items: Tensor, table: ItemTable) -> Tensor:
        """How much of each choice is explained by the one before it, as log-odds. (B, L), (B, L) → (B, L)."""
        assert table.calls is not None  # as `M2Rec.item_table` has it
        called = F.embedding(before, table.calls) * (before > 0)[..., None]  # nothing calls at the start of a history
        return (called * F.embedding(items, table.vectors)).sum(-1)

    def _belief(self, log_odds: Tensor, keep: Tensor | None) -> Tensor:
        """h (B, X, b, n); the ablation without content weighs all bands alike."""
        if not self.adaptive:
            log_odds = log_odds.mean(2, keepdim=True).repeat(1, 1, self.bands, 1)
        # in place where nothing is learnt: fresh memory costs more than the arithmetic
        belief = log_odds.sigmoid() if torch.is_grad_enabled() else log_odds.sigmoid_()
        return belief if keep is None else belief * keep[:, None]

    def _finish(
        self, slots: Tensor, known: Tensor, each: Tensor, through: Tensor, unit: Tensor, explained: Explained
    ) -> FrequencyOut:
        """slots (B, X), whether they are in the history (B, L, X), how due each is (B, L, X) and through which band
        (B, L, b), unit vectors (B, X, d).
        """
        certain = self.log_odds_scale.exp()
        total = each.sum(-1, keepdim=True)
        everything = certain * total + (self.items - known.sum(-1, keepdim=True)).clamp(min=1)
        share = certain * each / everything
        evidence = [through, total.clamp(max=3), (total + 1e-4).log() / 4, share.amax(-1, keepdim=True)]
        due = Due(slots, self._scores(each, known))
        return FrequencyOut(share @ unit, certain * through / everything, torch.cat(evidence, -1), due, explained)


def _initial_kernels(config: ModelConfig) -> Tensor:
    """Combs at the periods, with lower teeth beside each where the period is long enough to tell: (b, W)."""
    rows = []
    for period in config.periods:
        row = ROUND * comb(period, config.filter_length, decay=1.0)
        if period >= SHORTEST_WITH_SLIPS:
            teeth = (row > 0).float()
            row = row + BESIDE * (F.pad(teeth[1:], (0, 1)) + F.pad(teeth[:-1], (1, 0)))
        rows.append(row)
    return torch.stack(rows)
