"""Frequency branch over items: which of the items of this history is due to come back next, and by which period?

Every item of the history has a signal of its own, x_i(t) = 1 where it was chosen and 0 elsewhere. A bank of filters,
one a period, learned in the frequency domain, listens to all these signals at once:

    F_b,i(t) = (k_b * x_i)(t)                       response of band b to item i
    K_b(t)   = Σ_{n: n·p_b ≤ t+1} k_b(n·p_b − 1)    what a rhythm that never failed would have given by now
    ℓ_b,i(t) = F_b,i(t) − ρ_b·K_b(t) + β_b + π_i    log-odds that i is due through band b
    s_i(t)   = log Σ_b exp ℓ_b,i(t)                 log-odds that i is due, against an item that was never chosen
    p(i | frequency) = softmax_i of s_i, and of 0 for every item outside the history

π_i, how readily item i becomes a habit at all, is read from its vector. Which bands are open is thus a matter of
content: a period that this history does not hold has no item to pass on (the paper's adaptive filter). `gains` is the
share of the branch's answer that comes through each band.

What keeps the branch to rhythms alone (a gate has nothing to tell apart where branches can do one another's work):

* it compares items by identity, so nothing that is merely alike can pass;
* what was chosen just now is never due, so order (tea → biscuits) cannot pass;
* within each round of its period a band's taps sum to zero, so what comes often but without a period (a taste) cannot
  pass either: a band hears an item's return in excess of how often that item comes anyway.

Glossary: X slots, one for each distinct item of a history; b bands; W taps (`filter_length`).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.config import ModelConfig
from m2rec.model.due import Due, FrequencyOut
from m2rec.model.filters import comb, impulse_response, toeplitz, transfer_function
from m2rec.model.items import ItemTable

NEVER = -1e4  # log-odds of what cannot be: finite, so that nothing becomes nan
LEAST = 1e-20  # odds below which nothing is told apart
MOST = 60.0  # log-odds above which nothing is told apart; e⁶⁰ still is a float32
COMB_DECAY = 0.97  # weight of one round further back, at the start of training
ROUND = 3.0  # what one kept round is worth then, in log-odds
KEPT = 0.4  # share of the rounds that has to be kept, at the start of training
EVIDENCE_SCALE = 0.1  # brings log-odds to the size of the gate's other inputs


@dataclass
class ReturnState:
    """What the branch carries from item to item."""

    tail: Tensor  # int64 (B, W), the newest items, newest last, 0 before the first
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
        combs = torch.stack([comb(period, self.taps, COMB_DECAY) for period in config.periods])
        self.transfer = nn.Parameter(transfer_function(ROUND * combs))  # H: (b, W + 1, 2)
        self.keeps = nn.Parameter(torch.full((self.bands,), KEPT).logit())  # ρ, as a logit
        self.band_bias = nn.Parameter(torch.zeros(self.bands))  # β
        self.habit = nn.Linear(config.width + 1, 1)  # π, from an item's unit vector and its popularity
        nn.init.zeros_(self.habit.weight)
        nn.init.zeros_(self.habit.bias)
        period = torch.tensor(config.periods)[:, None]
        before = torch.arange(1, self.taps + 1)  # lag j lies j + 1 interactions before the next item
        self.register_buffer("rounds", (before + period // 2) // period, persistent=False)  # (b, W), 0 is the one now
        self.register_buffer("on_phase", (before % period == 0).float(), persistent=False)  # (b, W)

    @property
    def evidence_width(self) -> int:
        """Width of `FrequencyOut.evidence`."""
        return self.bands + 2

    def kernels(self) -> Tensor:
        """Impulse responses k: (b, W). Taps of one round sum to zero; the round that is still under way has none."""
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
            signal = ((slots[..., None] == items[:, None]) & (items > 0)[:, None]).float()  # x: (B, X, L)
            kernels = self.kernels()
            respond = respond_by_product if torch.is_grad_enabled() else respond_by_choice
            response = respond(signal, place, kernels)  # F: (B, X, b, L)
            known = _in_window(signal, self.taps)  # (B, X, L)
            expected = self.expected(kernels, torch.arange(1, length + 1, device=items.device))  # (b, L)
            prior = self.habit_of(slots, table)[..., None].where(known & (signal == 0), NEVER)  # (B, X, L)
            odds = self._odds(response.add_(expected).add_(prior[:, :, None]), keep)
            each, through = odds.sum(2).transpose(1, 2), odds.sum(1).transpose(1, 2)  # (B, L, X), (B, L, b)
            return self._finish(slots, known.transpose(1, 2), each, through, F.embedding(slots, table.unit))

    def last(self, items: Tensor, table: ItemTable, lengths: Tensor, keep: Tensor | None = None) -> FrequencyOut:
        """The last real position only: sums over the window instead of a filter bank. items (B, L) → (B, …)."""
        at = lengths[:, None] - self.taps + torch.arange(self.taps, device=items.device)  # (B, W), newest last
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
            torch.zeros(batch, self.taps, dtype=torch.int64, device=device),
            torch.zeros(batch, dtype=torch.int64, device=device),
        )

    def _newest(self, tail: Tensor, count: Tensor, table: ItemTable, keep: Tensor | None) -> FrequencyOut:
        """tail (B, W), newest last; count (B,) of all items there have been → (B, …)."""
        slots, _ = distinct(tail)
        signal = ((slots[..., None] == tail[:, None]) & (tail > 0)[:, None]).float()  # (B, X, W)
        kernels = self.kernels()
        response = torch.einsum("bxw,kw->bxk", signal, kernels.flip(-1))
        known = slots > 0
        prior = self.habit_of(slots, table).where(known & (signal[..., -1] == 0), NEVER)  # (B, X)
        expected = self.expected(kernels, count).T[:, None]  # (B, 1, b)
        odds = self._odds((response + expected + prior[..., None])[..., None], keep)[..., 0]
        each, through = odds.sum(2)[:, None], odds.sum(1)[:, None]
        out = self._finish(slots, known[:, None], each, through, F.embedding(slots, table.unit))
        due = out.due.newest() if out.due else None
        return FrequencyOut(out.y[:, 0], out.gains[:, 0], out.evidence[:, 0], due)

    def expected(self, kernels: Tensor, count: Tensor) -> Tensor:
        """What each band asks of every item: β − ρ·K after `count` (n,) items, or the newest W of them → (b, n)."""
        never_failed = (kernels * self.on_phase).cumsum(-1)
        reached = never_failed[:, (count - 1).clamp(max=self.taps - 1)]
        return self.band_bias[:, None] - self.keeps.sigmoid()[:, None] * reached

    def habit_of(self, slots: Tensor, table: ItemTable) -> Tensor:
        """π of the items in the slots. (B, X) → (B, X)."""
        vectors = torch.cat([F.embedding(slots, table.unit), F.embedding(slots, table.bias)], dim=-1)
        return self.habit(vectors)[..., 0]

    def _odds(self, log_odds: Tensor, keep: Tensor | None) -> Tensor:
        """exp ℓ (B, X, b, L), bounded; the ablation without content weighs all bands alike."""
        if not self.adaptive:
            log_odds = log_odds.mean(2, keepdim=True).repeat(1, 1, self.bands, 1)
        # in place where nothing is learnt: fresh memory costs more than the arithmetic
        odds = log_odds.clamp(max=MOST).exp() if torch.is_grad_enabled() else log_odds.clamp_(max=MOST).exp_()
        return odds if keep is None else odds * keep[:, None]

    def _finish(self, slots: Tensor, known: Tensor, each: Tensor, through: Tensor, unit: Tensor) -> FrequencyOut:
        """slots (B, X), whether they are in the history (B, L, X), odds of each (B, L, X) and through each band
        (B, L, b), unit vectors (B, X, d).
        """
        # an item that has not been chosen yet, or not for long, is like any other outside the history: odds of 1
        scores = (each + LEAST).log().where(known, 0)
        everything = each.sum(-1, keepdim=True) + (self.items - known.sum(-1, keepdim=True)).clamp(min=1)
        y = (each / everything) @ unit
        gains = through / everything
        highest = each.amax(-1, keepdim=True) / everything
        evidence = torch.cat([through.log1p(), everything.log()], dim=-1) * EVIDENCE_SCALE
        return FrequencyOut(y, gains, torch.cat([evidence, highest], dim=-1), Due(slots, scores))


def respond_by_product(signal: Tensor, place: Tensor, kernels: Tensor) -> Tensor:
    """Every band's response to every item as one product with the bank. signal (B, X, L) → F (B, X, b, L)."""
    length = signal.shape[-1]
    bank = toeplitz(kernels, length).permute(2, 0, 1).reshape(length, -1)  # [s, (b, t)]
    return (signal @ bank).unflatten(-1, (len(kernels), length))


def respond_by_choice(signal: Tensor, place: Tensor, kernels: Tensor) -> Tensor:
    """The same, choice by choice: each adds the bands' impulse responses to its item. Quicker where nothing is learnt.

    place (B, L) is the slot of each choice.
    """
    batch, slots, length = signal.shape
    later = F.pad(kernels, (length - 1, max(0, length - kernels.shape[1])))  # index L − 1 + lag
    shifted = later.as_strided((length, len(kernels), length), (1, later.stride(0), 1))  # [L − 1 − s, b, t]
    response = signal.new_zeros(batch * slots, len(kernels), length)
    for row, chosen in enumerate(place):
        response[row * slots : (row + 1) * slots].index_add_(0, chosen.flip(0), shifted)
    return response.view(batch, slots, len(kernels), length)


def distinct(items: Tensor) -> tuple[Tensor, Tensor]:
    """The different items of each row, 0 where a row has fewer, and where each position's is. (B, L) → (B, X), (B, L).

    A padded position has some item's place, and comes after everything that counts.
    """
    ordered, order = items.sort(dim=1)
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    new &= ordered > 0
    place = (new.cumsum(1) - 1).clamp(min=0)
    width = max(1, int(new.sum(1).max()))
    slots = torch.zeros(len(items), width + 1, dtype=items.dtype, device=items.device)
    slots.scatter_(1, place.where(new, width), ordered.where(new, 0))  # what is not new falls on a spare slot
    return slots[:, :width], torch.empty_like(place).scatter_(1, order, place)


def _in_window(signal: Tensor, taps: int) -> Tensor:
    """Whether each item was chosen within the newest `taps` interactions. (B, X, L) → bool (B, X, L)."""
    count = signal.cumsum(-1)
    before = F.pad(count, (taps, 0))[..., : count.shape[-1]]
    return count > before
