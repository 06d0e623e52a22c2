"""The interface of a branch that answers for one history: all that `InferenceEngine` relies on.

The branch in PyTorch (`m2rec.model.branch.Branch`) is the reference: with its weights, both give one answer.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

import numpy as np

from m2rec.branches import NEWEST_ITEM
from m2rec.inference.arrays import Shapes, Weights, log_softmax, softmax
from m2rec.inference.explanations import Explanations
from m2rec.inference.items import ItemArrays
from m2rec.inference.softmax import SoftmaxHead
from m2rec.model.config import ModelConfig


@dataclass(frozen=True)
class BranchInput:
    """Input of a branch: n ≥ 1 items, int64 (n,); for `Branch.last_of_each` of B histories (B, n).

    `explanations` are those of the branches before it, over the same items, None where there are none; `band_keep`
    (b,), 1 or 0, mutes frequency bands. With `at_each`, the output's `detail` is wanted at every position.
    """

    items: np.ndarray
    band_keep: np.ndarray | None = None
    explanations: Explanations | None = None
    at_each: bool = False

    def of(self, row: int) -> "BranchInput":
        """One of several histories."""
        explanations = self.explanations and Explanations(*(part[row] for part in self.explanations))
        return BranchInput(self.items[row], self.band_keep, explanations)

    def after(self, out: "BranchOutput") -> "BranchInput":
        """The input of the next branch, with the explanations of this one if it has any."""
        if out.explanations is None:
            return self
        return BranchInput(self.items, self.band_keep, out.explanations, self.at_each)


@dataclass(frozen=True)
class BranchOutput:
    """Output of a branch at n positions, or at the newest alone (n = 1).

    The gate reads `vectors` (n, d) and `evidence` (n, e), None where there is none. `detail` is the branch's own, each
    part with an entry for every position, or for the newest alone where no more was asked for. `explanations` are of
    all items that were read, where the branch has any.
    """

    vectors: np.ndarray
    evidence: np.ndarray | None = None
    detail: Mapping[str, Sequence[Any] | np.ndarray] = field(default_factory=dict)
    explanations: Explanations | None = None

    @property
    def newest_item(self) -> np.ndarray | None:
        """The newest item at each position, (n,), from a branch whose softmax has a bias for it."""
        return cast("np.ndarray | None", self.detail.get(NEWEST_ITEM))

    def newest(self) -> "BranchOutput":
        """The last position alone; of several, as a copy, so that the memory of the others can be freed."""
        if len(self.vectors) == 1:
            return BranchOutput(self.vectors, self.evidence, self.detail)
        evidence = None if self.evidence is None else self.evidence[-1:].copy()
        return BranchOutput(
            self.vectors[-1:].copy(), evidence, {name: _last(part) for name, part in self.detail.items()}
        )

    def at(self, part: slice) -> "BranchOutput":
        """Some positions of an output that was asked for `at_each`."""
        evidence = None if self.evidence is None else self.evidence[part]
        return BranchOutput(self.vectors[part], evidence, {name: every[part] for name, every in self.detail.items()})

    @classmethod
    def joined(cls, parts: "Sequence[BranchOutput]") -> "BranchOutput":
        """Consecutive outputs as one."""
        first = parts[0]
        if len(parts) == 1:
            return first
        explained = [part.explanations for part in parts if part.explanations is not None]
        return cls(
            np.concatenate([part.vectors for part in parts]),
            None if first.evidence is None else np.concatenate([part.evidence for part in parts]),
            {name: _joined([part.detail[name] for part in parts]) for name in first.detail},
            Explanations(*map(np.concatenate, zip(*explained, strict=True))) if explained else None,
        )


def _last(part: Sequence[Any] | np.ndarray) -> Sequence[Any] | np.ndarray:
    return part[-1:].copy() if isinstance(part, np.ndarray) else part[-1:]


def _joined(parts: Sequence[Any]) -> Sequence[Any] | np.ndarray:
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else [one for part in parts for one in part]


class Branch(ABC):
    """One kind of evidence for one history. Its three ways to read agree to 1e-4; arrays are never written to.

    Its tables over items have row 0 for padding.
    """

    by_text = False  # whether its vector scores an item by its text alone, with the gate on features
    normed = True  # whether its vector is normed there
    newest_bias = False  # whether its softmax has a ν, in models with a repeat bias
    explains = False  # whether its outputs have explanations

    @staticmethod
    def evidence_width(config: ModelConfig) -> int:
        """e, how many numbers the gate reads beside the vector."""
        return 0

    @staticmethod
    @abstractmethod
    def shapes(config: ModelConfig) -> Shapes:
        """Names and shapes of its weights, as the branch in PyTorch has them."""

    @abstractmethod
    def __init__(self, config: ModelConfig, weights: Weights, items: ItemArrays) -> None:
        """`weights` of the branch, without its key in front."""

    @abstractmethod
    def per_item(self, items: ItemArrays) -> dict[str, np.ndarray]:
        """The rows of these items in each of its tables, by the attribute that holds the table."""

    def take(self, items: ItemArrays) -> None:
        """Fill the tables."""
        for name, rows in self.per_item(items).items():
            setattr(self, name, rows)

    def extended(self, more: ItemArrays) -> Self:
        """The same branch with more items appended to its tables: they are read, and not ranked."""
        twin = copy.copy(self)
        for name, rows in self.per_item(more).items():
            setattr(twin, name, np.concatenate([getattr(self, name), rows]))
        return twin

    @abstractmethod
    def start(self) -> Any:
        """The state before the first item: arrays, or tuples and dataclasses of them."""

    @abstractmethod
    def advance(self, given: BranchInput, state: Any) -> tuple[BranchOutput, Any]:
        """All positions of a continuation → over (n,), and the state after the last; the old one stays valid."""

    @abstractmethod
    def last(self, given: BranchInput) -> BranchOutput:
        """The newest position of a whole history → over (1,)."""

    def last_of_each(self, given: BranchInput) -> BranchOutput:
        """`last` of B histories of one length → over (B,), explanations (B, n). A branch that has a quicker way takes
        it: most of these histories are much like the first.
        """
        out = BranchOutput.joined([self.last(given.of(row)) for row in range(len(given.items))])
        if out.explanations is None:
            return out
        explanations = Explanations(*(part.reshape(given.items.shape) for part in out.explanations))
        return BranchOutput(out.vectors, out.evidence, out.detail, explanations)

    @abstractmethod
    def scores(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """log of the branch's own distribution over the catalogue, but for a constant that each row may have.

        Over (n,), with `detail` at each; seen bool (n, V) → float32 (n, V), an array of its own.
        """

    def probabilities(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """The distribution itself: (n, V), rows summing to 1."""
        return softmax(self.scores(out, seen))

    def log_probabilities(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """Its logarithm, finite also where a probability is too small for a float32: (n, V)."""
        return log_softmax(self.scores(out, seen))

    def silent(self) -> BranchOutput | None:
        """What the gate reads of it where it finds nothing, over (1,); None where it always finds something."""
        return None


class SoftmaxBranch(Branch):
    """A branch whose distribution is a softmax of item vectors and its own vector."""

    head: SoftmaxHead

    def scores(self, out: BranchOutput, seen: np.ndarray) -> np.ndarray:
        """As in `Branch`."""
        return self.head.scores(out.vectors, seen, out.newest_item)
