"""The interface of a branch, one kind of evidence about the next choice: all that `M2Rec` relies on."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from m2rec.branches import NEWEST_ITEM
from m2rec.model.config import ModelConfig
from m2rec.model.explanations import Explanations
from m2rec.model.items import ItemTable
from m2rec.model.softmax import SoftmaxHead
from m2rec.model.targets import Targets


@dataclass(frozen=True)
class BranchInput:
    """Input of a branch: items (B, L), right-padded with 0, or (B,) for one more of each.

    `explanations` are those of the branches before it, over the same positions; `band_keep` (b,), 1 or 0, mutes
    frequency bands.
    """

    items: Tensor
    table: ItemTable
    band_keep: Tensor | None = None
    explanations: Explanations | None = None


@dataclass
class BranchOutput:
    """Output of a branch over positions (…): all (B, L), marked ones (N,), or the newest of each row (B,).

    The gate reads `vector` (…, d) and `evidence` (…, e), None where there is none. `detail` is the branch's own, every
    tensor over the same positions; `explanations` of each choice, where the branch has any.
    """

    vector: Tensor
    evidence: Tensor | None = None
    detail: dict[str, Tensor] = field(default_factory=dict)
    explanations: Explanations | None = None

    def at(self, where: Tensor) -> "BranchOutput":
        """The marked positions alone. Over (B, L), where bool (B, L) → over (N,), row-major."""
        return self._each(lambda part: part[where])

    def newest(self) -> "BranchOutput":
        """The last position alone, of rows without padding. Over (B, L) → over (B,)."""
        return self._each(lambda part: part[:, -1])

    def copied(self) -> "BranchOutput":
        """A copy, so that the memory of all other positions can be freed."""
        return self._each(lambda part: part.clone())

    def _each(self, change: Any) -> "BranchOutput":
        evidence = None if self.evidence is None else change(self.evidence)
        return BranchOutput(change(self.vector), evidence, {name: change(part) for name, part in self.detail.items()})


class Branch(Protocol):
    """One kind of evidence. The three ways to read agree to 1e-4 and are causal."""

    @property
    def evidence_width(self) -> int:
        """e, how many numbers the gate reads beside the vector."""

    @property
    def by_text(self) -> bool:
        """Whether its vector scores an item by its text alone, P z, and not by v."""

    @staticmethod
    def head(config: ModelConfig) -> SoftmaxHead:
        """A new softmax over items of its vector, which every branch needs with the gate on features."""

    def derive(self, table: ItemTable) -> Tensor | None:
        """Per-item values that are computed once, (V + 1, …), stored in `ItemTable.derived` under the branch's key."""

    def read(self, given: BranchInput) -> BranchOutput:
        """All positions. items (B, L) → over (B, L)."""

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        """The last real position only. items (B, L), lengths (B,) → over (B,)."""

    def read_step(self, given: BranchInput, state: Any) -> tuple[BranchOutput, Any]:
        """One more item. items (B,) → over (B,), and the new state."""

    def start(self, batch: int) -> Any:
        """The state before the first item."""

    def log_probs(self, out: BranchOutput, table: ItemTable, seen: Tensor) -> Tensor:
        """log of the branch's own distribution. Over (N,), seen (N, V) → (N, V)."""

    def target_log_prob(self, out: BranchOutput, table: ItemTable, items: Tensor, targets: Targets) -> Tensor:
        """log p at the targets, among the items that have an ID vector.

        Over (B, L), items (B, L) → (N,), in the order of `targets.chosen`.
        """


class SoftmaxBranch:
    """What all branches have in common whose distribution is a softmax of item vectors and their own vector."""

    softmax: SoftmaxHead
    warm: int  # items that have an ID vector
    evidence_width = 0
    by_text = False

    @staticmethod
    def head(config: ModelConfig) -> SoftmaxHead:
        """As in `Branch`."""
        return SoftmaxHead(config, normed=True, popularity=1.0)

    def derive(self, table: ItemTable) -> Tensor | None:
        """Nothing: it reads the items' vectors as they are."""
        return None

    def log_probs(self, out: BranchOutput, table: ItemTable, seen: Tensor) -> Tensor:
        """As in `Branch`."""
        newest = out.detail.get(NEWEST_ITEM)
        return self.softmax.log_probs(out.vector, self._scored(table), table.bias, seen, newest)

    def target_log_prob(self, out: BranchOutput, table: ItemTable, items: Tensor, targets: Targets) -> Tensor:
        """As in `Branch`."""
        warm = slice(self.warm + 1)
        return self.softmax.target_log_prob(out.vector, self._scored(table)[warm], table.bias[warm], items, targets)

    def _scored(self, table: ItemTable) -> Tensor:
        return table.text if self.by_text else table.vectors


class NewestItemBranch(SoftmaxBranch):
    """A branch in whose vector the newest item has the largest weight, so that its softmax has a bias ν for it."""

    @staticmethod
    def head(config: ModelConfig) -> SoftmaxHead:
        """As in `Branch`."""
        return SoftmaxHead(config, normed=True, popularity=1.0, newest=True)

    def _after(self, newest: Tensor, vector: Tensor) -> BranchOutput:
        """The branch's vector (…, d) after the newest items (…)."""
        return BranchOutput(vector, detail={NEWEST_ITEM: newest})
