"""`SemanticBranch`, for one history at a time."""

import math
from typing import Any, cast

import numpy as np
import torch

from m2rec.model.items import ItemTable
from m2rec.model.semantic.means import SemanticBranch
from m2rec.model.serving.arrays import HORIZON, gelu, weights_of

_LEAST_WEIGHT = 1e-12  # of a mean of texts, as in `SemanticBranch`


class ServedSemantic:
    """`SemanticBranch`."""

    def __init__(self, branch: SemanticBranch, table: ItemTable) -> None:
        self.rows = weights_of(branch._parts(table.text[None])[0][0, :, 0])  # (V + 1, d + 1)
        self.rate = weights_of(branch.log_rate.exp())  # (K,)
        self.decay = np.exp(-self.rate)[:, None]
        self.reach = math.ceil(HORIZON / float(self.rate.min()))
        widen, narrow = (cast(Any, branch.feed[place]) for place in (0, 3))
        self.widen, self.widen_bias = weights_of(widen.weight), weights_of(widen.bias)
        self.narrow, self.narrow_bias = weights_of(narrow.weight), weights_of(narrow.bias)

    def start(self) -> np.ndarray:
        """Decayed sums before the first item, (K, d + 1)."""
        return np.zeros((len(self.rate), self.rows.shape[1]), dtype=np.float32)

    def last(self, items: np.ndarray) -> np.ndarray:
        """items (L,) → (d,)."""
        items = items[-self.reach :]
        age = np.arange(len(items) - 1, -1, -1, dtype=np.float32)
        weights = np.exp(-self.rate[:, None] * age)  # (K, L)
        return self._finish((torch.from_numpy(weights) @ torch.from_numpy(self.rows[items])).numpy())

    def step(self, item: int, taste: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """taste (K, d + 1) → (d,) and the new sums."""
        taste = taste * self.decay + self.rows[item]
        return self._finish(taste), taste

    def _finish(self, sums: np.ndarray) -> np.ndarray:
        means = (sums[:, :-1] / np.maximum(sums[:, -1:], _LEAST_WEIGHT)).ravel()
        return self.narrow @ gelu(self.widen @ means + self.widen_bias) + self.narrow_bias
