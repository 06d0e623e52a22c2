"""The terms of the semantic branch for one item: beliefs over themes and the items of each, or decaying means of texts.

Of themes (`m2rec/model/semantic/themes.py` has the symbols):

    p(i) = Σ_k π_k E_k(i) / Z                                   Z the sum of the same over the catalogue
    why x was chosen = o's three parts and V·Σ_k π_k E_k(x), as shares of their sum, with π as it was before x
"""

from dataclasses import dataclass

import numpy as np

from m2rec.inference.semantic.means import Means
from m2rec.inference.semantic.themes import Themes
from m2rec.inference.terms.scores import Asked, ScoreTerms, score_terms
from m2rec.model.constants import LEAST_THEME_PROBABILITY

REASONS = ("taste", "the item before it", "a rhythm", "none of these")


@dataclass(frozen=True)
class ThemeTerms:
    """`belief` (L + 1, K) is π before the first item and after each; `reasons` (L, 4) how the model accounts for each
    item, in the order of `REASONS`: what something else explains hardly moves the belief. `emitted` (K,) is E(i),
    `everything` Z.
    """

    belief: np.ndarray
    reasons: np.ndarray
    emitted: np.ndarray
    everything: float

    @property
    def parts(self) -> np.ndarray:
        """π_k E_k(i): (K,)."""
        return self.belief[-1] * self.emitted

    @property
    def probability(self) -> float:
        """p of the branch."""
        return max(float(self.parts.sum()), LEAST_THEME_PROBABILITY) / self.everything


def theme_terms(branch: Themes, asked: Asked) -> ThemeTerms:
    """Of the item that was asked about, at the end of the history."""
    items = asked.given.items
    after, _ = branch.believed(asked.given, branch.start())
    belief = np.concatenate([np.full((1, branch.count), 1 / branch.count, dtype=after.dtype), after])
    taste = branch.competing * (belief[:-1] * branch.emissions[items]).sum(1)
    ways = np.stack([taste, *branch.other_causes(asked.given), np.full(len(items), branch.by_nothing)], axis=1)
    emissions = branch.emissions[1 : branch.catalogue + 1]
    everything = float(np.maximum(emissions @ belief[-1], LEAST_THEME_PROBABILITY).sum(dtype=np.float64))
    return ThemeTerms(belief, ways / ways.sum(1, keepdims=True), branch.emissions[asked.target], everything)


@dataclass(frozen=True)
class Taste:
    """One decaying mean of texts: its time constant in interactions, and each item's share of it (L,), oldest first."""

    span: float
    shares: np.ndarray


@dataclass(frozen=True)
class MeansTerms:
    """`tastes`, the quickest first; `alike` (L,) the cosine of each item's text with this item's; the score."""

    tastes: tuple[Taste, ...]
    alike: np.ndarray
    score: ScoreTerms


def means_terms(branch: Means, asked: Asked) -> MeansTerms:
    """Of the item that was asked about, at the end of the history."""
    items = asked.given.items
    age = np.arange(len(items) - 1, -1, -1)
    weights = np.exp(-branch.rates[:, None] * age) * branch.rows[items, -1]  # (K, L)
    shares = weights / np.maximum(weights.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    tastes = sorted(
        (Taste(float(1 / rate), row) for rate, row in zip(branch.rates, shares, strict=True)), key=lambda one: one.span
    )
    texts = branch.rows[[*items, asked.target], :-1]  # times a positive weight, which makes no difference to an angle
    texts /= np.maximum(np.linalg.norm(texts, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return MeansTerms(tuple(tastes), texts[:-1] @ texts[-1], score_terms(branch.head, asked))
