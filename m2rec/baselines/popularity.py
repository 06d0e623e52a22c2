"""The most popular items first, for every history."""

from torch import Tensor, nn


class Popularity(nn.Module):
    """Scores are the log of each item's share of the training events. There is nothing to train."""

    log_share: Tensor

    def __init__(self, train_counts: Tensor) -> None:
        """`train_counts` (V,): training events of items 1…V. Items without any get −∞."""
        super().__init__()
        counts = train_counts.double()
        self.register_buffer("log_share", (counts / counts.sum()).log().float())

    def forward(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """Mean −log share of the targets. items, targets (B, L), target 0 = none."""
        return -self.log_share[targets[targets > 0] - 1].mean()

    def loss(self, items: Tensor, targets: Tensor) -> Tensor:
        """The same as `forward`."""
        return self(items, targets)

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """The same row for each marked position. items, where (B, L) → (N, V)."""
        return self.log_share.expand(int(where.sum()), -1)

    def last_scores(self, items: Tensor) -> Tensor:
        """The same row for each history. items (B, L) → (B, V)."""
        return self.log_share.expand(len(items), -1)
