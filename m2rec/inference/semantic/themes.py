"""`m2rec.model.semantic.themes.ThemesBranch` for one history: a belief over pairs of themes, choice by choice."""

import numpy as np

from m2rec.inference.arrays import Shapes, Weights, sigmoid
from m2rec.inference.branch import Branch, BranchInput, BranchOutput
from m2rec.inference.explanations import Explanations, unexplained
from m2rec.inference.items import ItemArrays
from m2rec.inference.semantic.blocks import BLOCK, blocks
from m2rec.inference.semantic.themes_of_each import newest_themes
from m2rec.model.config import ModelConfig
from m2rec.model.constants import LARGEST_EXPLANATION, LEAST_THEME_PROBABILITY


class Themes(Branch):
    """Items in, weights of the themes out (`m2rec.inference.branch.Branch`), which are `detail["themes"]` (K,).

    Its state is the belief before the next choice, (K, K).
    """

    by_text, normed = True, False
    emissions: np.ndarray  # E, (V + 1, K), how likely each theme is to bring an item about
    likelihoods: np.ndarray  # (V + 1, 2 K), a·V·E and (1 − a)·V·E beside each other
    likeliest: np.ndarray  # (V + 1,), the most that these add up to

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """As in `Branch`."""
        scalars: Shapes = dict.fromkeys(("first_weight", "shift_rate", "popularity"), ())
        return {"queries": (config.theme_count, config.width), "explanation_bias": (3,), **scalars}

    @staticmethod
    def popularity_weight(weights: Weights) -> float:
        """κ, how much an item's popularity counts here."""
        return float(weights["popularity"])

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "semantic." in front."""
        self.catalogue = config.items
        self.queries, self.popularity = weights["queries"], weights["popularity"]  # (K, d), ()
        warm = self._scores(items)[1 : config.warm_items + 1].astype(np.float64)
        largest = warm.max(0)
        self.log_total = largest + np.log(np.exp(warm - largest).sum(0))
        self.competing, self.count = np.float32(config.warm_items), config.theme_count
        self.first, self.shift = float(sigmoid(weights["first_weight"])), float(sigmoid(weights["shift_rate"]))
        self.take(items)
        self.by_nothing, self.by_transition, self.by_recurrence = np.exp(weights["explanation_bias"])
        to_first = self.shift / ((1 - self.shift) * (self.count - 1))
        self.to_first = np.full(self.count, to_first, dtype=np.float32)
        differ = 1 - np.eye(self.count, dtype=np.float32)
        self.differ, self.before = differ, differ / differ.sum()

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """The likelihood of each item under each theme, as evidence for pairs of themes, and its maximum."""
        emissions = np.maximum(np.exp(self._scores(items) - self.log_total), LEAST_THEME_PROBABILITY).astype(np.float32)
        likelihood = self.competing * emissions
        both = np.concatenate([np.float32(self.first) * likelihood, np.float32(1 - self.first) * likelihood], axis=1)
        return {"emissions": emissions, "likelihoods": both, "likeliest": likelihood.max(1)}

    def _scores(self, items: ItemArrays) -> np.ndarray:
        scores: np.ndarray = items.text @ self.queries.T + (self.popularity * items.bias)[:, None]
        return scores

    def start(self) -> np.ndarray:
        """Belief before the first choice: every pair is as likely as any other. (K, K)."""
        return self.before

    def last(self, given: BranchInput) -> BranchOutput:
        """The newest position of a whole history → over (1,)."""
        return self._output(self.believed(given, self.before, newest_only=True)[0])

    def advance(self, given: BranchInput, state: np.ndarray) -> tuple[BranchOutput, np.ndarray]:
        """All positions of a continuation → over (n,), and the belief after."""
        themes, belief = self.believed(given, state)
        return self._output(themes), belief

    def last_of_each(self, given: BranchInput) -> BranchOutput:
        """As in `Branch`."""
        return self._output(newest_themes(self, given))

    def _output(self, themes: np.ndarray) -> BranchOutput:
        return BranchOutput(themes @ self.queries, detail={"themes": themes})

    def scores(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """As in `Branch`: log Σ_k π_k E_k."""
        return np.log(self._mixed(out))

    def probabilities(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """As in `Branch`."""
        mixed = self._mixed(out)
        mixed /= mixed.sum(-1, keepdims=True)
        return mixed

    def _mixed(self, out: BranchOutput) -> np.ndarray:
        mixed: np.ndarray = out.detail["themes"] @ self.emissions[1 : self.catalogue + 1].T
        return np.maximum(mixed, LEAST_THEME_PROBABILITY, out=mixed)

    def other_causes(self, given: BranchInput) -> tuple[np.ndarray, np.ndarray]:
        """e^(γ + …) and e^(δ + …) of each choice, what explains it besides a theme: (n,) each."""
        explained: Explanations = given.explanations or unexplained(given.items.shape)
        transition, recurrence = (np.exp(np.minimum(part, LARGEST_EXPLANATION)) for part in explained)
        return self.by_transition * transition, self.by_recurrence * recurrence

    def evidence(self, given: BranchInput) -> tuple[np.ndarray, np.ndarray]:
        """The evidence of each choice for pairs of themes: f_i + s_j, between zero and one. → least of it (n,), and f
        beside s, (n, 2 K); of B histories (B, n), (B, n, 2 K).
        """
        by_transition, by_recurrence = self.other_causes(given)
        other_causes = self.by_nothing + by_transition + by_recurrence
        scale = 1 / (other_causes + self.likeliest[given.items])  # any factor may go: the belief is normalised
        flat = other_causes * scale
        evidence = self.likelihoods[given.items] * scale[..., None]
        evidence[..., : self.count] += flat[..., None]
        return flat, evidence

    def believed(
        self, given: BranchInput, belief: np.ndarray, newest_only: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """π after each item of a continuation, or after its last alone: (n, K) or (1, K), and the belief after."""
        items = given.items
        flat, evidence = self.evidence(given)
        as_first, as_second = evidence[:, : self.count], evidence[:, self.count :]
        left = np.log(flat).cumsum()  # the logarithm of a belief that summed to one does not fall below
        by_first, by_second = np.empty((2, 1 if newest_only else len(items), self.count), dtype=np.float32)
        belief, room = belief.copy(), np.empty((min(len(items), BLOCK), self.count, self.count), dtype=np.float32)
        for part in blocks(left):
            pairs = room[: part.stop - part.start]
            np.add(as_first[part, :, None], as_second[part, None], pairs)
            pairs.reshape(len(pairs), -1)[:, :: self.count + 1] = 0  # the two themes of a pair differ
            self._follow(pairs, belief)
            if not newest_only:
                np.sum(pairs, 2, out=by_first[part])
                np.sum(pairs, 1, out=by_second[part])
        if newest_only:
            by_first[0], by_second[0] = pairs[-1].sum(1), pairs[-1].sum(0)
        belief *= self.differ
        belief /= belief.sum()
        total = by_first.sum(1, keepdims=True)
        return self.shares(by_first / total, by_second / total), belief

    def _follow(self, pairs: np.ndarray, belief: np.ndarray) -> None:
        """Choice by choice. pairs (n, K, K), the evidence of each, becomes the belief when it was made, and belief
        (K, K) that before the next one; only the last is normalised.

        After each choice a new theme may come first: (1 − h) B(i, j) + h · Σ_l B(j, l) / (K − 1). Three calls a choice,
        written so that each of them runs over memory in its order, for the calls cost more than the arithmetic.
        """
        moved, everywhere = np.empty(self.count, dtype=np.float32), np.empty_like(belief)
        multiply, add, to_first = np.multiply, np.add, self.to_first
        for pair in pairs:
            multiply(belief, pair, pair)
            pair.dot(to_first, moved)
            everywhere[...] = moved
            add(pair, everywhere, belief)  # on the diagonal too, where the next choice's evidence is zero
        belief *= self.differ
        belief *= 1 / belief.sum()

    def shares(self, by_first: np.ndarray, by_second: np.ndarray) -> np.ndarray:
        """π after themes may have shifted, from how likely each was the first and the second before. (n, K)."""
        fresh = (1 - by_first) * np.float32(self.shift / (self.count - 1))
        new_first = np.float32(1 - self.shift) * by_first + fresh
        new_second = np.float32(1 - self.shift) * by_second + np.float32(self.shift) * by_first
        result: np.ndarray = np.float32(self.first) * new_first + np.float32(1 - self.first) * new_second
        return result
