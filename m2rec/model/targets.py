"""The positions of a training step that have a target, found once."""

from dataclasses import dataclass

from torch import Tensor

from m2rec.model.fixed_shapes import shapes_are_fixed


@dataclass(frozen=True)
class Targets:
    """The next items of a batch, and the N positions that have one, in row-major order.

    Their number is known on the device only, so that finding them makes the host wait. Doing it once a step keeps a GPU
    busy. With fixed shapes, N is the number of all positions, and those without a target count 0.
    """

    items: Tensor  # (B, L), 0 where there is no target
    positions: Tensor | None  # (N,) into B·L; None for all positions
    chosen: Tensor  # (N,) the targets themselves; any item where there is no target
    counts: Tensor | None = None  # bool (N,), which of the N positions have a target; None if all have

    @classmethod
    def of(cls, items: Tensor) -> "Targets":
        """items (B, L), 0 where there is no target."""
        flat = items.flatten()
        if shapes_are_fixed():
            return cls(items, None, flat.clamp(min=1), flat > 0)
        positions = flat.nonzero()[:, 0]
        return cls(items, positions, flat.index_select(0, positions))

    def pick(self, part: Tensor) -> Tensor:
        """The N positions. (B, L, …) → (N, …)."""
        flat = part.flatten(0, 1)
        return flat if self.positions is None else flat.index_select(0, self.positions)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the targets. (N,) → ()."""
        if self.counts is None:
            return values.mean()
        return values.where(self.counts, 0.0).sum() / self.counts.sum()
