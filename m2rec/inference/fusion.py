"""`m2rec.model.fusion.FeatureFusion`: with `gate = "features"`, one softmax over the mean of the branches' scores."""

from collections.abc import Mapping

import numpy as np

from m2rec.branches import BranchName
from m2rec.inference.arrays import Weights, below
from m2rec.inference.branch import Branch, BranchOutput
from m2rec.inference.items import ItemArrays
from m2rec.inference.softmax import SoftmaxHead


class FeatureFusion:
    """A head for each branch, used in place of the branches' own distributions."""

    def __init__(self, weights: Weights, branches: Mapping[BranchName, Branch], items: ItemArrays) -> None:
        """`weights` of the fusion, without "fusion." in front."""
        self.heads = {
            name: SoftmaxHead(below(weights, f"heads.{name}"), items, branch.by_text)
            for name, branch in branches.items()
        }

    def scores(self, outputs: Mapping[BranchName, BranchOutput], gates: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Σ_m g_m ℓ_m. Over (n,), gates (n, M), seen bool (n, V) → (n, V)."""
        scores = np.zeros(seen.shape, dtype=np.float32)
        for place, (name, head) in enumerate(self.heads.items()):
            out = outputs[name]
            scores += gates[:, place, None] * head.scores(out.vectors, seen, out.newest_item)
        return scores
