"""The arithmetic of the periodic branch: the learned bank of bands, and the log-odds that an item is due by each.

The symbols are those of `periodic.py`.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.config import ModelConfig
from m2rec.model.constants import LEAST_DUE_PROBABILITY
from m2rec.model.fixed_shapes import shapes_are_fixed
from m2rec.model.frequency.filters import comb, impulse_response, transfer_function
from m2rec.model.items import ItemTable

ROUND = 6.5  # log-odds that one hit adds, at the start of training …
BESIDE = 3.5  # … and a hit a step early or late, for periods long enough
SHORTEST_WITH_SLIPS = 4
MIN_HIT_RATE = 0.42  # least hit rate ρ at the start of training
LATE, EARLY = 0.4, 0.04  # at the start, probabilities of a step late and a step early
CERTAIN = 8.0  # c at the start: log-odds of an item that is surely due


class RecurrenceBank(nn.Module):
    """The bands as transfer functions, and the log-odds of items under each."""

    rounds: Tensor
    on_phase: Tensor
    near: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.taps = config.filter_length  # W
        self.items = config.warm_items  # of training, so that new items do not change the evidence
        self.adaptive = config.adaptive_filter
        self.bands = len(config.periods)
        self.band_periods = tuple(map(float, config.periods))
        self._cached: tuple[tuple[int, torch.device], Tensor] | None = None  # kernels, cached where nothing is trained
        self.transfer = nn.Parameter(transfer_function(_initial_kernels(config)))  # H: (b, W + 1, 2)
        self.min_hit_rate = nn.Parameter(torch.full((self.bands,), MIN_HIT_RATE).logit())  # ρ, as a logit
        # β: at first all bands are equally likely, and so are a band's phases
        self.band_bias = nn.Parameter(-torch.tensor([math.log(self.bands * period) for period in config.periods]))
        self.late = nn.Parameter(torch.full((self.bands,), LATE).logit())  # late, as a logit
        self.early = nn.Parameter(torch.full((self.bands,), EARLY).logit())  # early, as a logit
        self.explaining_away = nn.Parameter(torch.tensor(0.5))  # ε
        self.log_odds_scale = nn.Parameter(torch.tensor(CERTAIN))  # c
        self.habit = nn.Linear(config.width + 1, 1)  # π, from an item's unit vector and its popularity
        nn.init.zeros_(self.habit.weight)
        nn.init.zeros_(self.habit.bias)
        # query compared with the item that occurred: w = σ(surprise_bias − ⟨query, v⟩)
        self.transition_query = nn.Sequential(
            nn.Linear(config.width, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )
        self.surprise_bias = nn.Parameter(torch.tensor(2.0))
        period = torch.tensor(config.periods)[:, None]
        before = torch.arange(1, self.taps + 1)  # lag j lies j + 1 interactions before the next item
        # (b, W), 0 is the round under way; the newest item (lag 0) is in it for every period from 2 on
        self.register_buffer("rounds", (before + (period - 1) // 2) // period, persistent=False)
        gap = torch.arange(self.taps + 4)[:, None] % period[:, 0]
        # whether two occurrences so many interactions apart can be of one phase, slips allowed: (W + 4, b)
        self.register_buffer("near", torch.minimum(gap, period[:, 0] - gap) <= 1, persistent=False)
        self.register_buffer("on_phase", (before % period == 0).float(), persistent=False)  # (b, W)

    def kernels(self) -> Tensor:
        """Impulse responses k: (b, W). Taps of one round sum to zero; the round that is still under way has none."""
        if torch.is_grad_enabled() or self.training or shapes_are_fixed():
            return self._kernels()
        made_from = (self.transfer._version, self.transfer.device)
        if self._cached is None or self._cached[0] != made_from:
            self._cached = made_from, self._kernels()
        return self._cached[1]

    def train(self, mode: bool = True) -> "RecurrenceBank":
        """As in PyTorch. Kernels are computed again afterwards: a fused optimiser changes weights, but no version."""
        self._cached = None
        return super().train(mode)

    def _kernels(self) -> Tensor:
        response = impulse_response(self.transfer)
        rounds = response.new_zeros(self.bands, self.taps + 1)
        sums = rounds.scatter_add(1, self.rounds, response)
        sizes = rounds.scatter_add(1, self.rounds, torch.ones_like(response)).clamp(min=1)
        return (response - (sums / sizes).gather(1, self.rounds)) * (self.rounds > 0)

    def readings(self, kernels: Tensor) -> Tensor:
        """Taps that give F at t − 1, t and t + 1 from the newest W + 1 choices, newest last: (3, b, W + 1)."""
        newest_last = kernels.flip(-1)
        return torch.stack([F.pad(newest_last, (0, 1)), F.pad(newest_last, (1, 0)), F.pad(newest_last[:, :-1], (2, 0))])

    def _excluded(self, against: Tensor, gap: Tensor) -> Tensor:
        """ε·R, which depends on the phase: against (B, X, b + 1, …) is weighed with ε already, gap (B, X, …) is how
        long ago the last occurrence was → (B, X, b, …).
        """
        own_phase = self.near[gap.clamp(max=len(self.near) - 1)].movedim(-1, 2)
        return torch.where(own_phase, against[:, :, :-1], against[:, :, -1:])

    def _corrected(self, log_odds: Tensor, against: Tensor, occurred: Tensor) -> Tensor:
        """`_log_odds` (B, n, b, 3) less ε·R, against (B, n, b + 1) at the last occurrence.

        occurred (B, n, W + 1) by lag.
        """
        steps = torch.arange(3, device=occurred.device)  # a step ago, now, a step on
        against = (self.explaining_away * against)[..., None].expand(-1, -1, -1, 3)
        return log_odds - self._excluded(against, occurred.int().argmax(-1, True) + steps)

    def _log_odds(self, weighted: Tensor, items: Tensor, count: Tensor, table: ItemTable) -> Tensor:
        """That each band has items (B, n) due: (B, n, b, 3), a step ago, now and a step on.

        weighted (B, n, ≤ W + 1), by lag from the newest of `count` (B, n) so far.
        """
        by_lag = self.readings(self.kernels()).flip(-1)[..., : weighted.shape[-1]]
        response = torch.einsum("bnw,mkw->bnkm", weighted, by_lag)
        threshold = torch.stack([self.threshold(self.kernels(), count.flatten() + step).T for step in (-1, 0, 1)], -1)
        return response + threshold.view(*count.shape, self.bands, 3) + self.habit_of(items, table)[..., None, None]

    def _due(
        self, log_odds: Tensor, occurred: Tensor, count: Tensor, band_keep: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """d (B, n, b) from `_log_odds`, and which items are in the window (B, n)."""
        belief = self._belief(log_odds, band_keep)
        before = belief[..., 0] * self._may_be_late(occurred, count)[..., None]
        due = belief[..., 1] + self.late.sigmoid() * before + self.early.sigmoid() * belief[..., 2]
        known = occurred[..., :-1].any(-1)
        return due * (known & ~occurred[..., 0])[..., None], known

    def _may_be_late(self, occurred: Tensor, count: Tensor) -> Tensor:
        """An item that occurred a step early is not late."""
        return (count > 1) & ~occurred[..., 1]

    def _scores(self, each: Tensor, known: Tensor) -> Tensor:
        """s from Σ_b d; an item outside the window is like one that was never chosen: odds of 1."""
        return (self.log_odds_scale + (each + LEAST_DUE_PROBABILITY).log()).where(known, 0)

    def threshold(self, kernels: Tensor, count: Tensor) -> Tensor:
        """What each band adds to the log-odds of every item: β − ρ·K after `count` (n,) items, or the newest W of them
        → (b, n).
        """
        never_failed = (kernels * self.on_phase).cumsum(-1)
        reached = never_failed[:, (count - 1).clamp(min=0, max=self.taps - 1)]
        return self.band_bias[:, None] - self.min_hit_rate.sigmoid()[:, None] * reached

    def habit_of(self, slots: Tensor, table: ItemTable) -> Tensor:
        """π of the items in the slots. (B, X) → (B, X)."""
        vectors = torch.cat([F.embedding(slots, table.unit), F.embedding(slots, table.bias)], dim=-1)
        return self.habit(vectors)[..., 0]

    def queries_of(self, items: Tensor) -> Tensor:
        """Transition queries of items, from their inputs to the temporal branch: (n, d) → (n, d)."""
        return self.transition_query(items)

    def _surprise(self, before: Tensor, items: Tensor, table: ItemTable) -> Tensor:
        """w: how little of each choice is explained by the one before it. (B, L), (B, L) → (B, L)."""
        return torch.sigmoid(self.surprise_bias - self._transition(before, items, table))

    def _transition(self, before: Tensor, items: Tensor, table: ItemTable) -> Tensor:
        """How much of each choice is explained by the one before it, as log-odds. (B, L), (B, L) → (B, L)."""
        queries = F.embedding(before, table.derived["frequency"])
        queries = queries * (before > 0)[..., None]  # no transition leads to the first item
        return (queries * F.embedding(items, table.vectors)).sum(-1)

    def _belief(self, log_odds: Tensor, band_keep: Tensor | None) -> Tensor:
        """h (B, X, b, n); the ablation without content weighs all bands alike."""
        if not self.adaptive:
            log_odds = log_odds.mean(2, keepdim=True).repeat(1, 1, self.bands, 1)
        # in place without gradients: allocating memory costs more than the arithmetic
        belief = log_odds.sigmoid() if torch.is_grad_enabled() else log_odds.sigmoid_()
        return belief if band_keep is None else belief * band_keep[:, None]


def _initial_kernels(config: ModelConfig) -> Tensor:
    """Combs at the periods, with lower teeth beside each where the period is long enough: (b, W)."""
    rows = []
    for period in config.periods:
        row = ROUND * comb(period, config.filter_length, decay=1.0)
        if period >= SHORTEST_WITH_SLIPS:
            teeth = (row > 0).float()
            row = row + BESIDE * (F.pad(teeth[1:], (0, 1)) + F.pad(teeth[:-1], (1, 0)))
        rows.append(row)
    return torch.stack(rows)
