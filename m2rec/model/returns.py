"""Frequency branch over items: which of the items of this history is due to come back next, and by which period?

Every item of the history has a signal of its own, x_i(t) = w_t where it was chosen and 0 elsewhere; w_t, between 0 and
1, is small where the choice before it called for it anyway (tea → biscuits), since that says little about a habit. A
bank of filters, one a period, learned in the frequency domain, listens to all these signals at once:

    F_b,i(t) = (k_b * x_i)(t)                       response of band b to item i
    K_b(t)   = Σ_{n: n·p_b ≤ t+1} k_b(n·p_b − 1)    what a rhythm that never failed would have given by now
    h_b,i(t) = σ(F_b,i(t) − ρ_b·K_b(t) + β_b + π_i) belief that i keeps period b and falls due at t + 1
    d_b,i(t) = h_b,i(t) + late_b·h_b,i(t−1) + early_b·h_b,i(t+1)          due now, overdue by one, or a step early
    s_i(t)   = c + log Σ_b d_b,i(t)                 log-odds that i comes next, against an item that was never chosen
    p(i | frequency) = softmax_i of s_i, and of 0 for every item outside the history

Rounds kept speak for a rhythm and rounds missed against it: the argument of σ is a log-odds, and belief saturates. π_i,
how readily item i becomes a habit at all, is read from its vector. Which bands are open is thus a matter of content: a
period that this history does not hold has no item to pass on (the paper's adaptive filter). `gains` is the share of the
branch's answer that comes through each band.

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
from m2rec.model.due import Due, FrequencyOut
from m2rec.model.explained import Explained
from m2rec.model.filters import comb, impulse_response, transfer_function
from m2rec.model.items import ItemTable
from m2rec.model.signals import distinct, in_window, respond_by_choice, respond_by_product

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
    count: Tensor  # int64 (B,), how many items there have been


class ReturnBranch(nn.Module):
    """Items in, who is due out."""

    rounds: Tensor
    on_phase: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.taps = config.filter_length  # W
        self.items = config.warm_items  # what competes in training: new arrivals change no evidence
        self.adaptive = config.adaptive_filter
        self.bands = len(config.periods)
        self.band_periods = tuple(map(float, config.periods))
        self._kept: tuple[tuple[int, torch.device], Tensor] | None = None  # kernels, where nothing is learnt
        self.transfer = nn.Parameter(transfer_function(_initial_kernels(config)))  # H: (b, W + 1, 2)
        self.keeps = nn.Parameter(torch.full((self.bands,), KEPT).logit())  # ρ, as a logit
        # β: at first all bands are equally likely, and so are a band's phases
        self.band_bias = nn.Parameter(-torch.tensor([math.log(self.bands * period) for period in config.periods]))
        self.overdue = nn.Parameter(torch.full((self.bands,), OVERDUE).logit())  # late, as a logit
        self.ahead = nn.Parameter(torch.full((self.bands,), AHEAD).logit())  # early, as a logit
        self.certain = nn.Parameter(torch.tensor(CERTAIN))  # c
        self.habit = nn.Linear(config.width + 1, 1)  # π, from an item's unit vector and its popularity
        nn.init.zeros_(self.habit.weight)
        nn.init.zeros_(self.habit.bias)
        # what an item calls for, to be compared with the item that came: w = σ(unexpected − ⟨calls, v⟩)
        self.calls = nn.Sequential(
            nn.Linear(config.width, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )
        self.unexpected = nn.Parameter(torch.tensor(2.0))
        period = torch.tensor(config.periods)[:, None]
        before = torch.arange(1, self.taps + 1)  # lag j lies j + 1 interactions before the next item
        # (b, W), 0 is the round under way; the newest item (lag 0) is in it for every period from 2 on
        self.register_buffer("rounds", (before + (period - 1) // 2) // period, persistent=False)
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
            slots, place = distinct(items)  # (B, X), (B, L)
            chosen = (slots[..., None] == items[:, None]) & (items > 0)[:, None]  # (B, X, L)
            weight = self._surprise(F.pad(items[:, :-1], (1, 0)), items, table)  # w: (B, L)
            signal = F.pad(chosen * weight[:, None], (0, 1))  # x: (B, X, L + 1), one step on for what is early
            kernels = self.kernels()
            respond = respond_by_product if torch.is_grad_enabled() else respond_by_choice
            response = respond(signal, F.pad(place, (0, 1)), kernels)  # F: (B, X, b, L + 1)
            asked = self.asked(kernels, torch.arange(1, length + 2, device=items.device))  # (b, L + 1)
            prior = self.habit_of(slots, table)[..., None]  # (B, X, 1)
            belief = self._belief(response.add_(asked).add_(prior[..., None]), keep)  # h
            late, early = self.overdue.sigmoid()[:, None], self.ahead.sigmoid()[:, None]
            came_before = F.pad(chosen[..., :-1], (1, 0))  # a step early, so it cannot be late
            before = F.pad(belief[..., : length - 1], (1, 0)) * ~came_before[:, :, None]
            due = belief[..., :length] + late * before + early * belief[..., 1:]  # d
            known = in_window(chosen, self.taps)  # (B, X, L)
            due = due * (known & ~chosen)[:, :, None]
            each, through = due.sum(2).transpose(1, 2), due.sum(1).transpose(1, 2)  # (B, L, X), (B, L, b)
            return self._finish(slots, known.transpose(1, 2), each, through, F.embedding(slots, table.unit))

    def last(self, items: Tensor, table: ItemTable, lengths: Tensor, keep: Tensor | None = None) -> FrequencyOut:
        """The last real position only: sums over the window instead of a filter bank. items (B, L) → (B, …)."""
        reach = self.taps + 3
        at = lengths[:, None] - reach + torch.arange(reach, device=items.device)  # newest last
        tail = items.gather(1, at.clamp(min=0)).where(at >= 0, 0)
        return self._newest(tail, lengths, table, keep)

    def step(
        self, item: Tensor, table: ItemTable, state: ReturnState, keep: Tensor | None = None
    ) -> tuple[FrequencyOut, ReturnState]:
        """One more item. item (B,) → (B, …) and the new state."""
        state = ReturnState(torch.cat([state.tail[:, 1:], item[:, None]], dim=1), state.count + 1)
        return self._newest(state.tail, state.count, table, keep), state

    def start(self, batch: int) -> ReturnState:
        """The state before the first item."""
        device = self.band_bias.device
        return ReturnState(
            torch.zeros(batch, self.taps + 3, dtype=torch.int64, device=device),
            torch.zeros(batch, dtype=torch.int64, device=device),
        )

    def readings(self, kernels: Tensor) -> Tensor:
        """Taps that give F at t − 1, t and t + 1 from the newest W + 1 choices, newest last: (3, b, W + 1)."""
        newest_last = kernels.flip(-1)
        return torch.stack([F.pad(newest_last, (0, 1)), F.pad(newest_last, (1, 0)), F.pad(newest_last[:, :-1], (2, 0))])

    def _newest(self, tail: Tensor, count: Tensor, table: ItemTable, keep: Tensor | None) -> FrequencyOut:
        """tail (B, W + 3), newest last; count (B,) of all items there have been → (B, …)."""
        weight = self._surprise(tail[:, 1:-1], tail[:, 2:], table)  # (B, W + 1)
        tail = tail[:, 2:]
        slots, _ = distinct(tail)
        came = ((slots[..., None] == tail[:, None]) & (tail > 0)[:, None]).flip(-1)  # by lag: (B, X, W + 1)
        due, known = self._due_now(came, came * weight.flip(-1)[:, None], slots, count[:, None], table, keep)
        each, through = due.sum(2)[:, None], due.sum(1)[:, None]
        out = self._finish(slots, known[:, None], each, through, F.embedding(slots, table.unit))
        newest = out.due.newest() if out.due else None
        return FrequencyOut(out.y[:, 0], out.gains[:, 0], out.evidence[:, 0], newest)

    def explained(self, items: Tensor, table: ItemTable) -> Explained:
        """How well each choice was explained before it was made. items (B, L), right-padded with 0 → (B, L) each.

        `due` is s_{x_t}(t − 1), what `forward` says of this one item a step earlier, without all the others. Bands that
        are muted for the answer still explain what has been chosen.
        """
        with torch.autocast(items.device.type, enabled=False):
            called = self._called(F.pad(items[:, :-1], (1, 0)), items, table)
            with torch.no_grad():
                return Explained(called, self._was_due(items, torch.sigmoid(self.unexpected - called), table))

    def explained_newest(self, state: ReturnState, table: ItemTable) -> Explained:
        """The same of the newest choice alone, from the state that holds it → (B,) each."""
        tail = state.tail
        called = self._called(tail[:, :-1], tail[:, 1:], table)
        with torch.no_grad():
            weight = torch.sigmoid(self.unexpected - called)  # (B, W + 2), the newest last
            came = (tail[:, 1:-1] == tail[:, -1:]).flip(-1)[:, None]  # by lag: (B, 1, W + 1)
            heard = came * weight[:, None, :-1].flip(-1)
            due, known = self._due_now(came, heard, tail[:, -1:], (state.count - 1)[:, None], table)
            return Explained(called[:, -1], self._scores(due.sum(-1), known)[:, 0])

    def _was_due(self, items: Tensor, weight: Tensor, table: ItemTable) -> Tensor:
        length = items.shape[1]
        place = torch.arange(length, device=items.device)
        source = place[:, None] - 1 - torch.arange(self.taps + 1, device=items.device)  # [t, lag], before t by lag + 1
        back = source.clamp(min=0).expand(len(items), -1, -1)
        came = (items[:, :, None] == items[:, None]).gather(2, back) & (source >= 0)  # (B, L, W + 1)
        heard = came * weight[:, None].expand(-1, length, -1).gather(2, back)
        due, known = self._due_now(came, heard, items, place, table)
        return self._scores(due.sum(-1), known)

    def _due_now(
        self,
        came: Tensor,
        heard: Tensor,
        items: Tensor,
        count: Tensor,
        table: ItemTable,
        keep: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """d of items (B, n), which came (B, n, W + 1), by lag from the newest of the `count` (B, n) items so far.

        → (B, n, b), and whether they are in the window (B, n).
        """
        kernels = self.kernels()
        log_odds = torch.einsum("bnw,mkw->bnkm", heard, self.readings(kernels).flip(-1))
        asked = torch.stack([self.asked(kernels, count.flatten() + step).T for step in (-1, 0, 1)], -1)
        log_odds += asked.view(*count.shape, self.bands, 3)
        belief = self._belief(log_odds + self.habit_of(items, table)[..., None, None], keep)
        before = belief[..., 0] * ((count > 1) & ~came[..., 1])[..., None]  # a step early, so it cannot be late
        due = belief[..., 1] + self.overdue.sigmoid() * before + self.ahead.sigmoid() * belief[..., 2]
        known = came[..., :-1].any(-1)
        return due * (known & ~came[..., 0])[..., None], known

    def _scores(self, each: Tensor, known: Tensor) -> Tensor:
        """s from Σ_b d; an item that has not been chosen yet, or not for long, is like any other: odds of 1."""
        return (self.certain + (each + LEAST).log()).where(known, 0)

    def asked(self, kernels: Tensor, count: Tensor) -> Tensor:
        """What each band asks of every item: β − ρ·K after `count` (n,) items, or the newest W of them → (b, n)."""
        never_failed = (kernels * self.on_phase).cumsum(-1)
        reached = never_failed[:, (count - 1).clamp(min=0, max=self.taps - 1)]
        return self.band_bias[:, None] - self.keeps.sigmoid()[:, None] * reached

    def habit_of(self, slots: Tensor, table: ItemTable) -> Tensor:
        """π of the items in the slots. (B, X) → (B, X)."""
        vectors = torch.cat([F.embedding(slots, table.unit), F.embedding(slots, table.bias)], dim=-1)
        return self.habit(vectors)[..., 0]

    def called_for(self, items: Tensor) -> Tensor:
        """What items call for next, from what the temporal branch reads of them: (n, d) → (n, d)."""
        return self.calls(items)

    def _surprise(self, before: Tensor, items: Tensor, table: ItemTable) -> Tensor:
        """w: how little of each choice is explained by the one before it. (B, L), (B, L) → (B, L)."""
        return torch.sigmoid(self.unexpected - self._called(before, items, table))

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

    def _finish(self, slots: Tensor, known: Tensor, each: Tensor, through: Tensor, unit: Tensor) -> FrequencyOut:
        """slots (B, X), whether they are in the history (B, L, X), how due each is (B, L, X) and through which band
        (B, L, b), unit vectors (B, X, d).
        """
        certain = self.certain.exp()
        total = each.sum(-1, keepdim=True)
        everything = certain * total + (self.items - known.sum(-1, keepdim=True)).clamp(min=1)
        share = certain * each / everything
        evidence = [through, total.clamp(max=3), (total + 1e-4).log() / 4, share.amax(-1, keepdim=True)]
        return FrequencyOut(
            share @ unit, certain * through / everything, torch.cat(evidence, -1), Due(slots, self._scores(each, known))
        )


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
