"""Frequency branch where items recur: which item of the history is due next, and by which period.

The paper's idea is an adaptive filter that is learned in the frequency domain (an FFT over the sequence). The FFT is in
`RecurrenceBank.kernels` (`log_odds.py`): the parameter of every band is a transfer function H at the bins of a 2W-point
FFT, and `impulse_response` (`filters.py`) gives the causal kernel k = irfft(H) that is applied. What is filtered is not
a mixture of item vectors but each item's own signal, x_i(t) = w_t where i was chosen and 0 elsewhere; w_t, between 0
and 1, is small where the choice before explains it (tea → biscuits), since that is little evidence of a rhythm. One
band a period reads all these signals at once:

    F_b,i(t) = (k_b * x_i)(t)                       response of band b to item i
    K_b(t)   = Σ_{n: n·p_b ≤ t+1} k_b(n·p_b − 1)    what a rhythm without misses would have given by now
    h_b,i(t) = σ(F_b,i(t) − ρ_b·K_b(t) + β_b + π_i − ε·R_b,i(t))      belief that i has period b and is due at t + 1
    d_b,i(t) = h_b,i(t) + late_b·h_b,i(t−1) + early_b·h_b,i(t+1)          due now, overdue by one, or a step early
    s_i(t)   = c + log Σ_b d_b,i(t)                 log-odds that i recurs next, against an item that was never chosen
    p(i | frequency) = softmax_i of s_i, and of 0 for every item outside the history

A round in which the item recurred is evidence for a rhythm, a round in which it did not is evidence against it: the
argument of σ is a log-odds, and belief saturates. ρ is the least hit rate, and π_i, the prior log-odds of item i, is
computed from its vector. An item has one rhythm: R_b,i, how well all other bands explained its last occurrence before
it occurred, log(1 + Σ their odds), is evidence against band b (band b itself counts among them where it would have to
fall on another phase now). Which bands pass a signal thus depends on the content of the history: a period that does not
occur in it has no item that is due. `gains` is the share of the branch's answer that comes through each band.

Overlapping branches make the gate unidentifiable, so this one is restricted to rhythms:

* items are compared by identity, so similar items do not pass;
* the newest choice is never due, so order does not pass;
* within each round of its period a band's taps sum to zero, so items that are frequent without a period (a taste) do
  not pass either: a band responds to an item's recurrence in excess of how often that item occurs anyway.

h_b,i(t + 1) is causal: a band's taps begin half a round back, never at the newest item.

Glossary: X slots, one for each distinct item of a history; b bands; W taps (`filter_length`).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from m2rec.model.branch import BranchInput, BranchOutput
from m2rec.model.config import ModelConfig
from m2rec.model.explanations import Explanations
from m2rec.model.fixed_shapes import shapes_are_fixed
from m2rec.model.frequency.item_signals import all_but_each, at_newest, distinct, in_window
from m2rec.model.frequency.log_odds import RecurrenceBank
from m2rec.model.frequency.recurrence import RecurrenceScores, recurrence_log_prob, recurrence_log_probs
from m2rec.model.frequency.recurrence_sums import Recurrence, recurrence_sums, recurrence_sums_plain
from m2rec.model.items import ItemTable
from m2rec.model.softmax import SoftmaxHead
from m2rec.model.targets import Targets


@dataclass
class PeriodicState:
    """State of the branch between items."""

    tail: Tensor  # int64 (B, W + 3), the newest items, newest last, 0 before the first
    other_bands: Tensor  # (B, W + 3, b + 1), how well other rhythms had explained each of them
    count: Tensor  # int64 (B,), how many items there have been


class PeriodicBranch(RecurrenceBank):
    """Items in, log-odds that each recurs next out."""

    by_text = False

    @staticmethod
    def head(config: ModelConfig) -> SoftmaxHead:
        """Not normed, because the size of the vector is evidence; popularity has no weight at first."""
        return SoftmaxHead(config, normed=False, popularity=0.0)

    @property
    def evidence_width(self) -> int:
        """Width of `BranchOutput.evidence`."""
        return self.bands + 3

    def derive(self, table: ItemTable) -> Tensor:
        """Transition query of each item, compared with the item that occurs next: (V + 1, d)."""
        return self.queries_of(table.inputs)

    def read(self, given: BranchInput) -> BranchOutput:
        """All positions."""
        return self(given.items, given.table, given.band_keep)

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        """The last real position only."""
        return self.last(given.items, given.table, lengths, given.band_keep)

    def read_step(self, given: BranchInput, state: PeriodicState) -> tuple[BranchOutput, PeriodicState]:
        """One more item."""
        return self.step(given.items, given.table, state, given.band_keep)

    def log_probs(self, out: BranchOutput, table: ItemTable, seen: Tensor) -> Tensor:
        """log p over the catalogue; neither popularity nor a repeat bias is added."""
        return recurrence_log_probs(RecurrenceScores.of(out), len(table.vectors) - 1)

    def target_log_prob(self, out: BranchOutput, table: ItemTable, items: Tensor, targets: Targets) -> Tensor:
        """log p at the targets."""
        there = RecurrenceScores.of(out)
        there = RecurrenceScores(targets.pick(there.items), targets.pick(there.scores))
        return recurrence_log_prob(there, targets.chosen, self.items)

    def forward(self, items: Tensor, table: ItemTable, band_keep: Tensor | None = None) -> BranchOutput:
        """All positions. items (B, L), right-padded with 0; band_keep (b,) 0/1 mutes bands. → (B, L, …)."""
        with torch.autocast(items.device.type, enabled=False):
            length = items.shape[1]
            slots = distinct(items)  # (B, X)
            chosen = (slots[..., None] == items[:, None]) & (items > 0)[:, None]  # (B, X, L)
            transition = self._transition(F.pad(items[:, :-1], (1, 0)), items, table)
            weight = torch.sigmoid(self.surprise_bias - transition)  # w: (B, L)
            kernels = self.kernels()
            other_bands, explanations = self._explain(items, transition, table)
            known = in_window(chosen, self.taps)  # (B, X, L)
            place = torch.arange(1, length + 1, device=items.device)
            last = F.pad((chosen * place).cummax(-1).values, (1, 0)).clamp(min=1) - 1  # before each column
            inputs = Recurrence(
                weight=weight * (items > 0),
                kernels=kernels,
                offset=self.threshold(kernels, torch.arange(1, length + 2, device=items.device)),
                prior=self.habit_of(slots, table),
                explaining_away=self.explaining_away,
                late=self.late.sigmoid(),
                early=self.early.sigmoid(),
                slot=chosen.int().argmax(1),
                other_bands=other_bands,
                last=last,
                same_phase=self.near,
                may_be_due=known & ~chosen,
                may_be_late=~F.pad(chosen[..., :-1], (1, 0)),  # an item that occurred a step early is not late
                band_keep=torch.ones_like(self.band_bias) if band_keep is None else band_keep.to(self.band_bias.dtype),
            )
            each, through = recurrence_sums(inputs) if self.adaptive else recurrence_sums_plain(inputs, adaptive=False)
            each = each.transpose(1, 2)  # (B, L, X)
            unit = F.embedding(slots, table.unit)
            return self._finish(slots, known.transpose(1, 2), each, through, unit, explanations)

    def last(self, items: Tensor, table: ItemTable, lengths: Tensor, band_keep: Tensor | None = None) -> BranchOutput:
        """The last real position only: sums over the window instead of a filter bank. items (B, L) → (B, …)."""
        with torch.autocast(items.device.type, enabled=False):
            other_bands, explanations = self._explain(
                items, self._transition(F.pad(items[:, :-1], (1, 0)), items, table), table
            )
        reach = min(self.taps, items.shape[1]) + 3  # nothing is farther back than the beginning
        at = lengths[:, None] - reach + torch.arange(reach, device=items.device)  # newest last
        tail = items.gather(1, at.clamp(min=0)).where(at >= 0, 0)
        known = other_bands.gather(1, at.clamp(min=0)[..., None].expand(-1, -1, self.bands + 1))
        return self._newest(tail, known, lengths, table, explanations, band_keep)

    def step(
        self, item: Tensor, table: ItemTable, state: PeriodicState, band_keep: Tensor | None = None
    ) -> tuple[BranchOutput, PeriodicState]:
        """One more item. item (B,) → (B, …) and the new state."""
        tail, count = torch.cat([state.tail[:, 1:], item[:, None]], dim=1), state.count + 1
        transition = self._transition(tail[:, :-1], tail[:, 1:], table)  # (B, W + 2), the newest last
        with torch.no_grad():
            occurred = (tail[:, 1:-1] == item[:, None]).flip(-1)[:, None]  # by lag: (B, 1, W + 1)
            weighted = occurred * torch.sigmoid(self.surprise_bias - transition)[:, None, :-1].flip(-1)
            before = state.other_bands[:, 2:].flip(1)[:, None]  # by lag: (B, 1, W + 1, b + 1)
            other_bands, was_due = self._judge(occurred, weighted, before, item[:, None], state.count[:, None], table)
        state = PeriodicState(tail, torch.cat([state.other_bands[:, 1:], other_bands], dim=1), count)
        explanations = Explanations(transition[:, -1], was_due[:, 0])
        return self._newest(tail, state.other_bands, count, table, explanations, band_keep), state

    def start(self, batch: int) -> PeriodicState:
        """The state before the first item."""
        device = self.band_bias.device
        return PeriodicState(
            torch.zeros(batch, self.taps + 3, dtype=torch.int64, device=device),
            torch.zeros(batch, self.taps + 3, self.bands + 1, device=device),
            torch.zeros(batch, dtype=torch.int64, device=device),
        )

    def _newest(
        self,
        tail: Tensor,
        other_bands: Tensor,
        count: Tensor,
        table: ItemTable,
        explanations: Explanations,
        band_keep: Tensor | None,
    ) -> BranchOutput:
        """tail (B, W + 3), other_bands (B, W + 3, b + 1), newest last; count (B,) of all items so far → (B, …)."""
        weight = self._surprise(tail[:, 1:-1], tail[:, 2:], table)  # (B, W + 1)
        tail, other_bands = tail[:, 2:], other_bands[:, 2:]
        slots = distinct(tail)
        occurred = ((slots[..., None] == tail[:, None]) & (tail > 0)[:, None]).flip(-1)  # by lag: (B, X, W + 1)
        log_odds = self._log_odds(occurred * weight.flip(-1)[:, None], slots, count[:, None], table)
        against = at_newest(other_bands.flip(1)[:, None], occurred)
        due, known = self._due(self._corrected(log_odds, against, occurred), occurred, count[:, None], band_keep)
        each, through = due.sum(2)[:, None], due.sum(1)[:, None]
        out = self._finish(slots, known[:, None], each, through, F.embedding(slots, table.unit), explanations)
        detail = {name: part[:, 0] for name, part in out.detail.items()}
        assert out.evidence is not None
        return BranchOutput(out.vector[:, 0], out.evidence[:, 0], detail, explanations)

    def _explain(self, items: Tensor, transition: Tensor, table: ItemTable) -> tuple[Tensor, Explanations]:
        """How well each choice was explained before it was made.

        items, transition (B, L) → other_bands (B, L, b + 1) and explanations over (B, L).
        """
        with torch.no_grad():
            place = torch.arange(items.shape[1], device=items.device)
            lags = torch.arange(min(self.taps, len(place)) + 1, device=items.device)
            source = place[:, None] - 1 - lags  # [t, lag]: lag + 1 before t
            back = source.clamp(min=0).expand(len(items), -1, -1)
            occurred = (items[:, :, None] == items[:, None]).gather(2, back) & (source >= 0)  # (B, L, W + 1)
            weight = torch.sigmoid(self.surprise_bias - transition)
            weighted = occurred * weight[:, None].expand(-1, len(place), -1).gather(2, back)
            other_bands, was_due = self._judge(occurred, weighted, None, items, place, table)
        return other_bands, Explanations(transition, was_due)

    def _judge(
        self, occurred: Tensor, weighted: Tensor, before: Tensor | None, items: Tensor, count: Tensor, table: ItemTable
    ) -> tuple[Tensor, Tensor]:
        """How well each of the choices `items` (B, n) was explained by the rhythms known before it.

        occurred, weighted (B, n, W + 1) by lag; before (B, 1, W + 1, b + 1) the other_bands of what occurred then, or
        None where all of it is computed here; count (B, n) of the items before each. → other_bands (B, n, b + 1) and s
        (B, n).
        """
        log_odds = self._log_odds(weighted, items, count, table)
        late = log_odds[..., 0].masked_fill(~self._may_be_late(occurred, count)[..., None], -math.inf)
        early = log_odds[..., 2] + F.logsigmoid(self.early)
        ways = torch.stack([log_odds[..., 1], late + F.logsigmoid(self.late), early])
        known = occurred[..., :-1].any(-1) & ~occurred[..., 0]
        by_any_way = ways.logsumexp(0)
        if shapes_are_fixed():
            other_bands = all_but_each(by_any_way).where(known[..., None], 0.0)
        else:
            where = known.flatten().nonzero()[:, 0]  # most items occur for the first time and have nothing to compute
            others = all_but_each(by_any_way.flatten(0, -2).index_select(0, where))
            other_bands = others.new_zeros(known.numel(), self.bands + 1).index_copy(0, where, others)
            other_bands = other_bands.unflatten(0, known.shape)
        if before is None:
            last = (count - 1 - occurred.int().argmax(-1)).clamp(min=0)  # where the same item occurred before
            at_last = other_bands.gather(1, last[..., None].expand(-1, -1, self.bands + 1))
        else:
            at_last = at_newest(before, occurred)
        due, known = self._due(self._corrected(log_odds, at_last, occurred), occurred, count, None)
        return other_bands, self._scores(due.sum(-1), known)

    def _finish(
        self, slots: Tensor, known: Tensor, each: Tensor, through: Tensor, unit: Tensor, explanations: Explanations
    ) -> BranchOutput:
        """slots (B, X), whether they are in the history (B, L, X), how due each is (B, L, X) and through which band
        (B, L, b), unit vectors (B, X, d).
        """
        certain = self.log_odds_scale.exp()
        total = each.sum(-1, keepdim=True)
        everything = certain * total + (self.items - known.sum(-1, keepdim=True)).clamp(min=1)
        share = certain * each / everything
        evidence = [through, total.clamp(max=3), (total + 1e-4).log() / 4, share.amax(-1, keepdim=True)]
        scores = self._scores(each, known)
        detail = {
            "gains": certain * through / everything,
            "items": slots[:, None].expand(scores.shape),
            "scores": scores,
        }
        return BranchOutput(share @ unit, torch.cat(evidence, -1), detail, explanations)
