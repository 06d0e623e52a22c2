"""Semantic branch as a belief over themes: what the person is interested in now, from the items' text alone.

K themes, each a distribution over items that depends on their texts (and how often each is sold) alone:

    E_k(i) = softmax_i(⟨q_k, P z_i⟩ + κβ_i)            over the items with an ID vector; others by the same scale

A person has two interests, a first and a second, and after each item a new one may come first. What was chosen is
evidence about them, less so the better something else explains it:

    o_t = e^ω + e^(γ + ⟨query(x_{t−1}), v_{x_t}⟩) + e^(δ + s_{x_t}(t−1))       no reason · the choice before · a rhythm
    B(i, j) ∝ B(i, j) · (o_t + V·(a E_i(x_t) + (1 − a) E_j(x_t)))              belief over pairs, i first, i ≠ j
    B(i, j) ← (1 − h) B(i, j) + h · Σ_l B(j, l) / (K − 1)                      i is new, what was first is now second
    π_k = a Σ_j B(k, j) + (1 − a) Σ_i B(i, k)          p(x | semantic) = Σ_k π_k E_k(x)

This is the forward filter of a hidden Markov model (Rabiner 1989) whose emissions come from text; themes, a, h, ω, γ
and δ are learned. A new item is ranked by its text like any other.

s and query are those of `periodic.py`. No gradient flows back through s, so that the explanations are not trained for
this use.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.branch import BranchInput, BranchOutput
from m2rec.model.config import ModelConfig
from m2rec.model.constants import LARGEST_EXPLANATION, LEAST_THEME_PROBABILITY
from m2rec.model.explanations import Explanations, unexplained
from m2rec.model.items import ItemTable
from m2rec.model.semantic.kernels import gpu_filter
from m2rec.model.softmax import SoftmaxHead
from m2rec.model.targets import Targets

FIRST, SHIFT = 0.65, 0.02  # a and h at the start of training
OTHERWISE = -2.0  # ω, γ and δ at the start


@dataclass
class ThemesState:
    """Belief over pairs of interests before the next choice, (B, K, K)."""

    pairs: Tensor


class ThemesBranch(nn.Module):
    """Likelihoods of the themes in, weights of the themes out."""

    evidence_width = 0
    by_text = True

    @staticmethod
    def head(config: ModelConfig) -> SoftmaxHead:
        """Not normed: the vector of a belief that is spread over themes is shorter."""
        return SoftmaxHead(config, normed=False, popularity=1.0)

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.themes = config.theme_count  # K
        self.items = config.warm_items
        self.queries = nn.Parameter(0.5 * torch.randn(config.theme_count, config.width))  # q
        self.first_weight = nn.Parameter(torch.tensor(FIRST).logit())  # a, as a logit
        self.shift_rate = nn.Parameter(torch.tensor(SHIFT).logit())  # h, as a logit
        self.explanation_bias = nn.Parameter(torch.full((3,), OTHERWISE))  # ω, γ, δ
        self.popularity = nn.Parameter(torch.ones(()))  # κ

    def popularity_weight(self) -> Tensor:
        """κ, how much an item's popularity counts here: ()."""
        return self.popularity

    def emissions(self, text: Tensor, popularity: Tensor) -> Tensor:
        """E of all items. text P z (n, d) and κβ (n,), those that have an ID vector first → (n, K), none of them 0."""
        with torch.autocast(text.device.type, enabled=False):
            scores = text.float() @ self.queries.T + popularity.float()[:, None]
            return (scores - scores[: self.items].logsumexp(0)).exp().clamp(min=LEAST_THEME_PROBABILITY)

    def derive(self, table: ItemTable) -> Tensor:
        """E with a row of zeros for padding: (V + 1, K)."""
        emissions = self.emissions(table.text[1:], self.popularity * table.bias[1:, 0])
        return F.pad(emissions, (0, 0, 1, 0))

    def read(self, given: BranchInput) -> BranchOutput:
        """All positions."""
        return self(*self._chosen(given))

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        """The last real position only."""
        return self.last(*self._chosen(given), lengths)

    def read_step(self, given: BranchInput, state: ThemesState) -> tuple[BranchOutput, ThemesState]:
        """One more choice."""
        return self.step(*self._chosen(given), state)

    def log_probs(self, out: BranchOutput, table: ItemTable, seen: Tensor) -> Tensor:
        """log Σ_k π_k E_k over the catalogue; `seen` is not used."""
        return theme_log_probabilities(out.detail["themes"], table.derived["semantic"][1:])

    def target_log_prob(self, out: BranchOutput, table: ItemTable, items: Tensor, targets: Targets) -> Tensor:
        """log Σ_k π_k E_k at the targets."""
        emissions = F.embedding(targets.chosen, table.derived["semantic"])
        return theme_probability(targets.pick(out.detail["themes"]), emissions)

    def _chosen(self, given: BranchInput) -> tuple[Tensor, Explanations]:
        return F.embedding(given.items, given.table.derived["semantic"]), given.explanations or unexplained(given.items)

    def forward(self, emitted: Tensor, explained: Explanations) -> BranchOutput:
        """All positions. emitted (B, L, K), E of what was chosen → (B, L, …)."""
        return self._finish(self._filter(emitted, explained)[0])

    def last(self, emitted: Tensor, explained: Explanations, lengths: Tensor) -> BranchOutput:
        """The last real position only. emitted (B, L, K), lengths (B,) → (B, …)."""
        themes = self._filter(emitted, explained)[0]
        return self._finish(themes[torch.arange(len(themes), device=themes.device), lengths - 1])

    def step(self, emitted: Tensor, explained: Explanations, state: ThemesState) -> tuple[BranchOutput, ThemesState]:
        """One more choice. emitted (B, K) → (B, …) and the new state."""
        one = Explanations(explained.transition[:, None], explained.recurrence[:, None])
        themes, pairs = self._filter(emitted[:, None], one, state.pairs)
        return self._finish(themes[:, 0]), ThemesState(pairs)

    def start(self, batch: int) -> ThemesState:
        """The state before the first choice: every pair is as likely as any other."""
        differ = 1 - torch.eye(self.themes, device=self.queries.device)
        return ThemesState((differ / differ.sum()).expand(batch, -1, -1))

    def likelihoods(self, emitted: Tensor, explained: Explanations) -> tuple[Tensor, Tensor]:
        """V·E (…, K) and o (…, 1) of what was chosen."""
        no_cause, by_transition, by_rhythm = self.explanation_bias
        called, due = (
            explained.transition.clamp(max=LARGEST_EXPLANATION),
            explained.recurrence.clamp(max=LARGEST_EXPLANATION),
        )
        other_causes = no_cause.exp() + (by_transition + called).exp() + (by_rhythm + due).exp()
        return self.items * emitted, other_causes[..., None]

    def _filter(self, emitted: Tensor, explained: Explanations, pairs: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, L, K) → π after every choice (B, L, K), and the belief after the last."""
        with torch.autocast(emitted.device.type, enabled=False):
            likelihood, other_causes = self.likelihoods(emitted.float(), explained)
            pairs = self.start(len(emitted)).pairs if pairs is None else pairs
            arguments = (likelihood, other_causes, self.first_weight.sigmoid(), self.shift_rate.sigmoid(), pairs)
            if emitted.is_cuda:
                return gpu_filter(filter_pairs, self.themes, emitted.device)(*arguments)
            if torch.is_grad_enabled():
                return filter_pairs(*arguments)
            return filter_pairs_numpy(*arguments)

    def _finish(self, themes: Tensor) -> BranchOutput:
        return BranchOutput(themes @ self.queries, detail={"themes": themes})


def filter_pairs(
    likelihood: Tensor, other_causes: Tensor, first: Tensor, shift: Tensor, pairs: Tensor
) -> tuple[Tensor, Tensor]:
    """The filter, choice by choice. (B, L, K), (B, L, 1), (), (), (B, K, K) → π (B, L, K), belief (B, K, K)."""
    count = likelihood.shape[-1]
    fresh = (1 - torch.eye(count, device=likelihood.device)) * shift / (count - 1)
    as_first = first * likelihood + other_causes
    as_second = (1 - first) * likelihood
    shares = []
    for one, other in zip(as_first.unbind(1), as_second.unbind(1), strict=True):
        pairs = pairs * (one[:, :, None] + other[:, None, :])
        pairs = pairs / pairs.sum((1, 2), keepdim=True)
        pairs = (1 - shift) * pairs + pairs.sum(2)[:, None, :] * fresh
        shares.append(first * pairs.sum(2) + (1 - first) * pairs.sum(1))
    return torch.stack(shares, 1), pairs


def filter_pairs_numpy(
    likelihood: Tensor, other_causes: Tensor, first: Tensor, shift: Tensor, pairs: Tensor
) -> tuple[Tensor, Tensor]:
    """The same without gradients: calling NumPy for a small array costs a fraction of calling PyTorch."""
    a, h = float(first), float(shift)
    as_first, as_second = (first * likelihood + other_causes).numpy(), ((1 - first) * likelihood).numpy()
    belief = pairs.numpy()
    by_first, by_second = np.empty((2, *likelihood.shape), dtype=np.float32)
    for place in range(likelihood.shape[1]):
        belief, by_first[:, place], by_second[:, place] = next_belief(
            belief, as_first[:, place, :, None], as_second[:, place, None], h
        )
    return torch.from_numpy(theme_shares(by_first, by_second, a, h)), torch.from_numpy(belief)


def next_belief(
    belief: np.ndarray, as_first: np.ndarray, as_second: np.ndarray, shift: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One more choice. belief (B, K, K), as_first (B, K, 1), as_second (B, 1, K) → the new belief, and how likely each
    theme is to have been the first and the second interest when the choice was made: (B, K) each.
    """
    count = belief.shape[-1]
    every = np.ones(count, dtype=belief.dtype)  # products with it are sums that cost a fraction of a call of `sum`
    belief = belief * (as_first + as_second)
    by_first, by_second = belief @ every, every @ belief
    scale = 1 / (by_first @ every)[:, None]
    by_first *= scale
    by_second *= scale
    moved = by_first * (shift / (count - 1))  # to every first interest but the one that it was
    belief *= (1 - shift) * scale[:, :, None]
    belief += moved[:, None]
    np.einsum("bkk->bk", belief)[...] -= moved
    return belief, by_first, by_second


def theme_shares(by_first: np.ndarray, by_second: np.ndarray, first: float, shift: float) -> np.ndarray:
    """π after interests may have shifted, from how likely each theme was before: (…, K) → (…, K)."""
    fresh = (1 - by_first) * (shift / (by_first.shape[-1] - 1))
    new_first = (1 - shift) * by_first + fresh
    return first * new_first + (1 - first) * ((1 - shift) * by_second + shift * by_first)


def theme_probability(themes: Tensor, emissions: Tensor) -> Tensor:
    """log Σ_k π_k E_k, item by item. themes (N, K), emissions (N, K) → (N,)."""
    return (themes * emissions).sum(-1).clamp(min=LEAST_THEME_PROBABILITY).log()


def theme_log_probabilities(themes: Tensor, emissions: Tensor) -> Tensor:
    """log p over a catalogue. themes (N, K), emissions (V, K) → (N, V), rows of exp sum to 1."""
    mixed = (themes @ emissions.T).clamp(min=LEAST_THEME_PROBABILITY)
    return (mixed / mixed.sum(-1, keepdim=True)).log()
