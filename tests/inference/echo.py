"""What answers in place of `tests/model/echo.py`: the smallest counterpart in NumPy there can be."""

import numpy as np

from m2rec.inference.arrays import Shapes, Weights, below, under
from m2rec.inference.branch import BranchInput, BranchOutput, SoftmaxBranch
from m2rec.inference.items import ItemArrays
from m2rec.inference.softmax import SoftmaxHead
from m2rec.model.config import ModelConfig


class Echo(SoftmaxBranch):
    """b_t = v of item t. It remembers nothing, so its state is None."""

    vectors: np.ndarray  # (V + 1, d)

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        return under("softmax", SoftmaxHead.shapes(config.width))

    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        self.head = SoftmaxHead(below(weights, "softmax"), items)
        self.take(items)

    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        return {"vectors": items.vectors}

    def start(self) -> None:
        """Nothing."""

    def advance(self, given: BranchInput, state: None) -> tuple[BranchOutput, None]:
        return BranchOutput(self.vectors[given.items]), None

    def last(self, given: BranchInput) -> BranchOutput:
        return BranchOutput(self.vectors[given.items[-1:]])
