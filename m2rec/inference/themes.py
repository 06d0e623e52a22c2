"""`m2rec.model.semantic.themes.ThemeBranch` for one history: a belief over pairs of themes, choice by choice."""

import numpy as np

from m2rec.inference.arrays import Weights, sigmoid
from m2rec.inference.branch import PerItem
from m2rec.inference.evidence import Explanations, SemanticRead
from m2rec.inference.items import ItemArrays
from m2rec.model.config import ModelConfig

CERTAIN = np.float32(30.0)  # upper limit of the log-odds of an explanation, as in the branch
LEAST = np.float32(1e-12)  # floor under a probability whose logarithm is taken
RESCALE = 4  # choices after which the belief is normalised


class Themes(PerItem):
    """Items in, weights of the themes out. Its state is the belief before the next choice, (K, K)."""

    emissions: np.ndarray  # E, (V + 1, K), how likely each theme is to bring an item about

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "semantic." in front."""
        self.queries, self.popularity = weights["queries"], weights["popularity"]  # (K, d), ()
        warm = self._scores(items)[1 : config.warm_items + 1].astype(np.float64)
        largest = warm.max(0)
        self.log_total = largest + np.log(np.exp(warm - largest).sum(0))
        self.take(items)
        self.competing, self.count = np.float32(config.warm_items), config.theme_count
        self.first, self.shift = float(sigmoid(weights["first_weight"])), float(sigmoid(weights["shift_rate"]))
        self.by_nothing, self.by_transition, self.by_recurrence = np.exp(weights["explanation_bias"])
        differ = 1 - np.eye(self.count, dtype=np.float32)
        self.differ, self.before = differ, differ / differ.sum()

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """How likely each theme is to bring an item about."""
        return {"emissions": np.maximum(np.exp(self._scores(items) - self.log_total), LEAST).astype(np.float32)}

    def _scores(self, items: ItemArrays) -> np.ndarray:
        scores: np.ndarray = items.text @ self.queries.T + (self.popularity * items.bias)[:, None]
        return scores

    def start(self) -> np.ndarray:
        """Belief before the first choice: every pair is as likely as any other. (K, K)."""
        return self.before

    def last(self, items: np.ndarray, explanations: Explanations) -> SemanticRead:
        """The newest position of a whole history. items (L,) → over (1,)."""
        themes, _ = self.believed(items, explanations, self.before, newest_only=True)
        return SemanticRead(themes @ self.queries, themes[-1])

    def advance(
        self, items: np.ndarray, explanations: Explanations, belief: np.ndarray
    ) -> tuple[SemanticRead, np.ndarray]:
        """All positions of a continuation. items (n,) → over (n,), and the belief after."""
        themes, belief = self.believed(items, explanations, belief)
        return SemanticRead(themes @ self.queries, themes[-1]), belief

    def believed(
        self, items: np.ndarray, explanations: Explanations, belief: np.ndarray, newest_only: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """π after each item of a continuation, or after its last alone: (n, K) or (1, K), and the belief after."""
        likelihood = self.competing * self.emissions[items]
        otherwise = (
            self.by_nothing
            + self.by_transition * np.exp(np.minimum(explanations.transition, CERTAIN))
            + self.by_recurrence * np.exp(np.minimum(explanations.recurrence, CERTAIN))
        ).astype(np.float32)
        as_first = np.float32(self.first) * likelihood + otherwise[:, None]
        as_second = np.float32(1 - self.first) * likelihood
        scale = 1 / (as_first.max(1) + as_second.max(1))  # any factor may be taken out: the belief is normalised
        evidence = (as_first * scale[:, None])[:, :, None] + (as_second * scale[:, None])[:, None]
        evidence *= self.differ  # the two themes of a pair differ
        # after each choice a new theme may come first: (1 − h) B(i, j) + h · Σ_l B(j, l) / (K − 1), as a sum of rows
        to_first = np.full(self.count, self.shift / ((1 - self.shift) * (self.count - 1)), dtype=np.float32)
        every = np.ones(self.count, dtype=np.float32)
        by_first, by_second = np.empty_like(likelihood), np.empty_like(likelihood)
        belief = belief.copy()
        for at in range(len(items)):
            belief *= evidence[at]
            np.dot(belief, every, out=by_first[at])
            np.dot(every, belief, out=by_second[at])
            belief += by_first[at] * to_first  # on the diagonal too, where the next choice's evidence is zero
            if at % RESCALE == RESCALE - 1:
                belief *= 1 / by_first[at].sum()
        belief *= self.differ
        belief /= belief.sum()
        total = by_first.sum(1, keepdims=True)
        if newest_only:
            by_first, by_second, total = by_first[-1:], by_second[-1:], total[-1:]
        return self._shares(by_first / total, by_second / total), belief

    def _shares(self, by_first: np.ndarray, by_second: np.ndarray) -> np.ndarray:
        """π after themes may have shifted, from how likely each was the first and the second before. (n, K)."""
        fresh = (1 - by_first) * np.float32(self.shift / (self.count - 1))
        new_first = np.float32(1 - self.shift) * by_first + fresh
        new_second = np.float32(1 - self.shift) * by_second + np.float32(self.shift) * by_first
        result: np.ndarray = np.float32(self.first) * new_first + np.float32(1 - self.first) * new_second
        return result
