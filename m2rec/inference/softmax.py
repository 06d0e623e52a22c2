"""Scores of the catalogue's items from a branch's vector."""

import numpy as np

from m2rec.inference.arrays import Shapes, Weights, rms_normed
from m2rec.inference.items import ItemArrays


class SoftmaxHead:
    """`m2rec.model.softmax.SoftmaxHead`: norm and temperature of a branch's vector, κ, ρ and ν, and what it is compared
    with: `against` (V, d) and the items' popularity `bias` (V,).
    """

    def __init__(self, weights: Weights, items: ItemArrays, by_text: bool = False) -> None:
        """`weights` of the head alone; items 1 … V, compared by their text alone or by v."""
        self.normed = "norm.weight" in weights
        temperature = np.exp(weights["log_temperature"])
        self.scale = weights["norm.weight"] * temperature if self.normed else temperature
        self.popularity, self.repeat_bias = np.float32(weights["popularity"]), np.float32(weights["repeat_bias"])
        self.newest_bias = np.float32(weights.get("newest_bias", 0.0))
        self.against, self.bias = (items.text if by_text else items.vectors)[1:], items.bias[1:]

    @staticmethod
    def shapes(norm: int | None, newest: bool = False) -> Shapes:
        """Of its weights; `norm` is the width of its norm, None where the vector is not normed; with ν or not."""
        numbers = ("log_temperature", "popularity", "repeat_bias", *(["newest_bias"] if newest else []))
        shapes: Shapes = dict.fromkeys(numbers, ())
        return shapes if norm is None else {**shapes, "norm.weight": (norm,)}

    def features(self, vectors: np.ndarray) -> np.ndarray:
        """What is multiplied with an item's vector for its score. (…, d) → (…, d)."""
        result: np.ndarray = (rms_normed(vectors) if self.normed else vectors) * self.scale
        return result

    def scores(self, vectors: np.ndarray, seen: np.ndarray, newest: np.ndarray | None = None) -> np.ndarray:
        """The logits. vectors (n, d), seen bool (n, V) → (n, V). newest (n,) is the last item of each history, which a
        head with ν needs; an item beyond V is not ranked.
        """
        scores: np.ndarray = self.features(vectors) @ self.against.T
        if self.popularity:
            scores += self.popularity * self.bias
        if self.repeat_bias:
            scores += self.repeat_bias * seen
        if self.newest_bias and newest is not None:
            rows = np.flatnonzero(newest <= len(self.bias))
            scores[rows, newest[rows] - 1] += self.newest_bias
        return scores
