"""The positions of a training step that have a target, found once."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Targets:
    """The next items of a batch, and the N positions that have one, in row-major order.

    Their number is known on the device only, so that finding them makes the host wait. Doing it once a step keeps a GPU
    busy.
    """

    items: Tensor  # (B, L), 0 where there is no target
    positions: Tensor  # (N,) into B·L
    chosen: Tensor  # (N,) the targets themselves

    @classmethod
    def of(cls, items: Tensor) -> "Targets":
        """items (B, L), 0 where there is no target."""
        flat = items.flatten()
        positions = flat.nonzero()[:, 0]
        return cls(items, positions, flat.index_select(0, positions))

    def pick(self, part: Tensor) -> Tensor:
        """The positions that have a target. (B, L, …) → (N, …)."""
        return part.flatten(0, 1).index_select(0, self.positions)
