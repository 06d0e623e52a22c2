"""A fourth branch, the smallest there can be: what is similar to the newest item comes next."""

import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.branch import BranchInput, BranchOutput, SoftmaxBranch
from m2rec.model.config import ModelConfig


class EchoBranch(SoftmaxBranch, nn.Module):
    """b_t = v of item t. It remembers nothing, so its state is None."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.softmax, self.warm = self.head(config), config.warm_items

    def read(self, given: BranchInput) -> BranchOutput:
        return BranchOutput(F.embedding(given.items, given.table.vectors))

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        newest = given.items.gather(1, lengths[:, None] - 1)[:, 0]
        return BranchOutput(F.embedding(newest, given.table.vectors))

    def read_step(self, given: BranchInput, state: None) -> tuple[BranchOutput, None]:
        return self.read(given), state

    def start(self, batch: int) -> None:
        """Nothing."""
