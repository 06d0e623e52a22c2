"""All terms of one item after one history: a probability and a weight of each branch, and the terms of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from m2rec.branches import BranchName, import_name
from m2rec.inference.branch import BranchInput
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.reading import Position
from m2rec.inference.terms.scores import Asked

if TYPE_CHECKING:
    from m2rec.inference.terms.due import DueTerms
    from m2rec.inference.terms.filtered import FilterTerms
    from m2rec.inference.terms.memories import TemporalTerms
    from m2rec.inference.terms.tastes import MeansTerms, ThemeTerms


@dataclass(frozen=True)
class GateTerms:
    """`weights` (M,), summing to 1. Beside the branches' vectors the gate reads the `evidence` (e,) of those that have
    any; `nothing_due` (M,) are the weights where branches that can be silent had found nothing, None where none can.
    """

    weights: np.ndarray
    evidence: Mapping[BranchName, np.ndarray]
    nothing_due: np.ndarray | None


@dataclass(frozen=True)
class ItemTerms:
    """Why an item is as likely as it is. As in the answer: `probabilities` (M,) of each branch alone, and `gates`
    (L, M), the weights after each item of the history.

    `branches` are the terms of each branch that has any: none with the gate on features, where no branch has a
    distribution of its own.
    """

    probabilities: np.ndarray
    gates: np.ndarray
    gate: GateTerms
    branches: Mapping[BranchName, Any]

    @property
    def temporal(self) -> "TemporalTerms | None":
        """Those of the temporal branch."""
        return self.branches.get("temporal")

    @property
    def frequency(self) -> "DueTerms | FilterTerms | None":
        """Those of the frequency branch."""
        return self.branches.get("frequency")

    @property
    def semantic(self) -> "ThemeTerms | MeansTerms | None":
        """Those of the semantic branch."""
        return self.branches.get("semantic")


def item_terms(
    engine: InferenceEngine,
    items: Sequence[int],
    target: int,
    seen: np.ndarray,
    band_keep: np.ndarray | None = None,
) -> ItemTerms:
    """Of item `target` (1 … V) after a history of L ≥ 1 items; seen bool (V,), band_keep (b,) mutes bands."""
    reading = engine.read(items, band_keep)
    position = reading.position
    probabilities = engine.distributions(position, seen)[:, target - 1]
    given, found = BranchInput(np.asarray(items, dtype=np.int64), band_keep), {}
    for name, branch in engine.branches.items() if engine.fusion is None else ():
        terms = engine.config.variant(name).terms
        if terms:
            asked = Asked(given, position.outputs[name], reading.state.branches[name], target, seen)
            found[name] = import_name(terms)(branch, asked)
        if branch.explains:  # read anew: those of the whole history are wanted
            given = given.after(branch.last(given))
    return ItemTerms(probabilities, reading.gates, _gate(engine, position), found)


def _gate(engine: InferenceEngine, position: Position) -> GateTerms:
    evidence = {name: out.evidence[0] for name, out in position.outputs.items() if out.evidence is not None}
    silent = {name: out for name, branch in engine.branches.items() if (out := branch.silent()) is not None}
    nothing_due = np.exp(engine.gate.log_weights({**position.outputs, **silent}.values())[0]) if silent else None
    return GateTerms(position.gate, evidence, nothing_due)
