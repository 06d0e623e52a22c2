"""`m2rec.model.semantic.means.MeansBranch` for one history: decaying means of the items' texts."""

import math

import numpy as np

from m2rec.branches import NEWEST_ITEM
from m2rec.inference.arrays import HORIZON, Shapes, Weights, below, decay_matrix, feed_shapes, gelu, under
from m2rec.inference.branch import BranchInput, BranchOutput, SoftmaxBranch
from m2rec.inference.items import ItemArrays
from m2rec.inference.softmax import SoftmaxHead
from m2rec.model.config import ModelConfig
from m2rec.model.constants import SALIENCE_LIMIT

LEAST_WEIGHT = 1e-12  # of a mean
BLOCK = 128  # positions that one matrix product combines


class Means(SoftmaxBranch):
    """Items in, decayed means of their texts out (`m2rec.inference.branch.Branch`).

    Its state is the decayed sums of texts and weights, (K, d + 1).
    """

    rows: np.ndarray  # (V + 1, d + 1), each item's text by its weight, and the weight
    emissions = None  # it has no themes
    newest_bias = True

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """As in `Branch`."""
        scales, d = len(config.taste_scales), config.width
        own: Shapes = {"log_rate": (scales,), "salience.weight": (1, d)}
        head = under("softmax", SoftmaxHead.shapes(d, newest=config.repeat_bias))
        return own | feed_shapes(0, scales * d, 2 * d, d, 3) | head

    @staticmethod
    def popularity_weight(weights: Weights) -> float:
        """κ, how much an item's popularity counts here."""
        return float(weights["softmax.popularity"])

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without "semantic." in front."""
        self.by_text = config.semantic_by_text
        self.head = SoftmaxHead(below(weights, "softmax"), items, self.by_text)
        self.salience = np.ascontiguousarray(weights["salience.weight"].T)
        self.take(items)
        self.rates = np.exp(weights["log_rate"])  # (K,)
        self.reach = math.ceil(HORIZON / float(self.rates.min()))
        self.widen, self.widen_bias = np.ascontiguousarray(weights["feed.0.weight"].T), weights["feed.0.bias"]
        self.narrow, self.narrow_bias = np.ascontiguousarray(weights["feed.3.weight"].T), weights["feed.3.bias"]

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """Each item's text by how much it says about taste, and that weight."""
        weight = np.exp(SALIENCE_LIMIT * np.tanh(items.text @ self.salience / SALIENCE_LIMIT))  # (V + 1, 1)
        return {"rows": np.concatenate([weight * items.text, weight], axis=1)}

    def start(self) -> np.ndarray:
        """Decayed sums before the first item."""
        return np.zeros((len(self.rates), self.rows.shape[1]), dtype=np.float32)

    def last(self, given: BranchInput) -> BranchOutput:
        """The newest position of a whole history → over (1,)."""
        items = given.items[-self.reach :]
        age = np.arange(len(items) - 1, -1, -1, dtype=np.float32)
        vectors = self._finish((np.exp(-self.rates[:, None] * age) @ self.rows[items])[:, None])
        return BranchOutput(vectors, detail={NEWEST_ITEM: items[-1:]})

    def last_of_each(self, given: BranchInput) -> BranchOutput:
        """As in `Branch`."""
        items = given.items[:, -self.reach :]
        age = np.arange(items.shape[1] - 1, -1, -1, dtype=np.float32)
        sums = np.exp(-self.rates[:, None] * age) @ self.rows[items]  # (B, K, d + 1)
        return BranchOutput(self._finish(sums.transpose(1, 0, 2)), detail={NEWEST_ITEM: items[:, -1]})

    def advance(self, given: BranchInput, state: np.ndarray) -> tuple[BranchOutput, np.ndarray]:
        """All positions of a continuation → over (n,), and the sums after."""
        vectors = []
        for at in range(0, len(given.items), BLOCK):
            part = given.items[at : at + BLOCK]
            faded = np.exp(-self.rates[:, None] * np.arange(1, len(part) + 1)).astype(np.float32)
            sums = decay_matrix(self.rates, len(part)) @ self.rows[part] + faded[..., None] * state[:, None]
            vectors.append(self._finish(sums))
            state = sums[:, -1].copy()
        return BranchOutput(np.concatenate(vectors), detail={NEWEST_ITEM: given.items}), state

    def _finish(self, sums: np.ndarray) -> np.ndarray:
        """(K, n, d + 1) → (n, d)."""
        means = sums[..., :-1] / np.maximum(sums[..., -1:], LEAST_WEIGHT)
        flat = means.transpose(1, 0, 2).reshape(means.shape[1], -1)
        result: np.ndarray = gelu(flat @ self.widen + self.widen_bias) @ self.narrow + self.narrow_bias
        return result
