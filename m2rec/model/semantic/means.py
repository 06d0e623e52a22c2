"""Semantic branch: what the history has been about, read from the items' text alone.

    p_t = projected text of item t (L, d)          w_t = exp(salience of p_t), how much an item says about taste
    m_k(t) = Σ_s λ_k^(t−s) w_s p_s / Σ_s λ_k^(t−s) w_s          one mean per taste scale k
    b_t = MLP([m_1 … m_K])

The means do not depend on order within a scale, so the branch finds tastes and no chains, which are left to the
temporal branch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.branch import BranchInput, BranchOutput, NewestItemBranch
from m2rec.model.config import ModelConfig
from m2rec.model.constants import SALIENCE_LIMIT
from m2rec.model.softmax import newest_items
from m2rec.model.temporal.scan import scan_chunked, scan_last, scan_step


@dataclass
class MeansState:
    """Decayed sums of weighted text vectors and of the weights."""

    sums: Tensor  # (B, K, d + 1, 1)


class MeansBranch(NewestItemBranch, nn.Module):
    """Projected text vectors in, semantic evidence out."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        scales = torch.tensor(config.taste_scales)
        self.log_rate = nn.Parameter(-scales.log())  # forgetting rate per interaction, 1/scale
        self.salience = nn.Linear(config.width, 1, bias=False)
        self.feed = nn.Sequential(
            nn.Linear(len(scales) * config.width, 2 * config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * config.width, config.width),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.softmax, self.warm = self.head(config), config.warm_items
        self.by_text = config.semantic_by_text
        nn.init.zeros_(self.salience.weight)

    def popularity_weight(self) -> Tensor:
        """κ, how much an item's popularity counts here: ()."""
        return self.softmax.popularity

    def read(self, given: BranchInput) -> BranchOutput:
        """All positions."""
        return self._after(given.items, self(self._texts(given)))

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        """The last real position only."""
        return self._after(newest_items(given.items, lengths), self.last(self._texts(given), lengths))

    def read_step(self, given: BranchInput, state: MeansState) -> tuple[BranchOutput, MeansState]:
        """One more item."""
        vector, state = self.step(self._texts(given), state)
        return self._after(given.items, vector), state

    def _texts(self, given: BranchInput) -> Tensor:
        texts: Tensor = self.dropout(F.embedding(given.items, given.table.text))
        return texts

    def forward(self, p: Tensor) -> Tensor:
        """All positions. p (B, L, d) → (B, L, d)."""
        weighted, log_decay, ones = self._parts(p)
        return self._finish(scan_chunked(weighted, log_decay, ones, ones))

    def last(self, p: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only. p (B, L, d), lengths (B,) → (B, d)."""
        real = torch.arange(p.shape[1], device=p.device) < lengths[:, None]
        weighted, log_decay, ones = self._parts(p)
        return self._finish(scan_last(weighted * real[..., None, None], log_decay * real[..., None], ones, ones[:, 0]))

    def step(self, p: Tensor, state: MeansState) -> tuple[Tensor, MeansState]:
        """One more item. p (B, d) → (B, d) and the new state."""
        weighted, log_decay, ones = self._parts(p[:, None])
        y, sums = scan_step(state.sums, weighted[:, 0], log_decay[:, 0], ones[:, 0], ones[:, 0])
        return self._finish(y), MeansState(sums)

    def start(self, batch: int) -> MeansState:
        """The state before the first item."""
        return MeansState(self.log_rate.new_zeros(batch, len(self.log_rate), self.salience.in_features + 1, 1))

    def _parts(self, p: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight = (SALIENCE_LIMIT * torch.tanh(self.salience(p) / SALIENCE_LIMIT)).exp()  # (B, L, 1)
        weighted = torch.cat([weight * p, weight], dim=-1)[:, :, None]
        scales = len(self.log_rate)
        log_decay = (-self.log_rate.exp()).expand(*p.shape[:2], scales)
        return weighted.expand(-1, -1, scales, -1), log_decay, p.new_ones(*p.shape[:2], 1)

    def _finish(self, sums: Tensor) -> Tensor:
        """(…, K, d + 1) → (…, d)."""
        means = sums[..., :-1] / sums[..., -1:].clamp(min=1e-12)
        return self.feed(means.flatten(-2))
