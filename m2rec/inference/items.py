"""Every per-item vector that the branches share, as `m2rec.model.items.ItemTable` has them."""

from dataclasses import dataclass, replace

import numpy as np

from m2rec.inference.arrays import Weights
from m2rec.model.config import ModelConfig
from m2rec.model.constants import LEAST_POPULARITY_WEIGHT


@dataclass(frozen=True)
class ItemArrays:
    """Row i is item i, row 0 padding. `inputs` (n, d) what the temporal branch reads, `text` (n, d) P z, `vectors`
    (n, d) e + P z, `unit` (n, d) the same of unit length, `bias` (n,) popularity β, `usual_bias` () that of an item
    without an ID vector.
    """

    inputs: np.ndarray
    text: np.ndarray
    vectors: np.ndarray
    unit: np.ndarray
    bias: np.ndarray
    usual_bias: np.float32
    project: np.ndarray  # P, (d, text width)
    mean_id: np.ndarray  # (d,), used for the ID vector of an item that has none

    @classmethod
    def of(cls, config: ModelConfig, weights: Weights, popularity_weight: float) -> "ItemArrays":
        """From a checkpoint's weights. `popularity_weight` is κ of the branch that ranks items by their text."""
        project = np.asarray(weights["project.weight"], dtype=np.float32)
        text = np.asarray(weights["text"], dtype=np.float32) @ project.T
        ids = np.zeros_like(text)
        warm = slice(1, config.warm_items + 1)
        ids[warm] = weights["ids"]
        own_bias = np.asarray(weights["bias"], dtype=np.float64)
        # an item without an ID vector is taken to sell as often as the mean item does: exp κβ = mean exp κβ
        weight = max(popularity_weight, LEAST_POPULARITY_WEIGHT)
        largest = (weight * own_bias).max()
        usual = (largest + np.log(np.exp(weight * own_bias - largest).mean())) / weight
        bias = np.full(len(text), usual, dtype=np.float32)
        bias[0], bias[warm] = 0, own_bias
        mean_id = np.asarray(weights["ids"], dtype=np.float32).mean(0)
        vectors = text + ids
        if config.temporal_input == "vectors":
            inputs = vectors
        else:
            known = (ids != 0).any(-1, keepdims=True)
            known[0] = True  # padding
            inputs = np.where(known, ids, mean_id)
        return cls(inputs, text, vectors, _unit(vectors), bias, np.float32(usual), project, mean_id)

    @property
    def ids(self) -> np.ndarray:
        """The ID vectors e (n, d); zero for an item that has none."""
        return self.vectors - self.text

    def of_texts(self, config: ModelConfig, texts: np.ndarray, ids: np.ndarray | None = None) -> "ItemArrays":
        """Rows of new items, known by their text vectors (n, text width); they are read and not ranked. ids (n, d):
        used for their ID vectors, zero for an item of which nothing else is known; None for none.
        """
        text = np.asarray(texts, dtype=np.float32) @ self.project.T
        own = np.zeros_like(text) if ids is None else np.asarray(ids, dtype=np.float32)
        vectors = text + own
        known = (own != 0).any(-1, keepdims=True)
        inputs = vectors if config.temporal_input == "vectors" else np.where(known, own, self.mean_id)
        bias = np.repeat(self.usual_bias, len(text))
        return replace(self, inputs=inputs, text=text, vectors=vectors, unit=_unit(vectors), bias=bias)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    return vectors / np.maximum(length, 1e-12)
