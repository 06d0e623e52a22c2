"""A fourth branch, the smallest there can be: what is similar to the newest item comes next."""

import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.branch import BranchInput, BranchOutput
from m2rec.model.config import ModelConfig
from m2rec.model.items import ItemTable
from m2rec.model.softmax import SoftmaxHead
from m2rec.model.targets import Targets


class EchoBranch(nn.Module):
    """b_t = v of item t. It remembers nothing, so its state is None."""

    evidence_width = 0

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.softmax = SoftmaxHead(config, normed=True, popularity=1.0)
        self.warm = config.warm_items

    def derive(self, table: ItemTable) -> None:
        """Nothing."""

    def read(self, given: BranchInput) -> BranchOutput:
        return BranchOutput(F.embedding(given.items, given.table.vectors))

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        newest = given.items.gather(1, lengths[:, None] - 1)[:, 0]
        return BranchOutput(F.embedding(newest, given.table.vectors))

    def read_step(self, given: BranchInput, state: None) -> tuple[BranchOutput, None]:
        return self.read(given), state

    def start(self, batch: int) -> None:
        """Nothing."""

    def log_probs(self, out: BranchOutput, table: ItemTable, seen: Tensor) -> Tensor:
        return self.softmax.log_probs(out.vector, table.vectors, table.bias, seen)

    def target_log_prob(self, out: BranchOutput, table: ItemTable, items: Tensor, targets: Targets) -> Tensor:
        vectors, bias = table.vectors[: self.warm + 1], table.bias[: self.warm + 1]
        return self.softmax.target_log_prob(out.vector, vectors, bias, items, targets)
