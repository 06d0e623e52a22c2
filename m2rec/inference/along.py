"""The output at every position of a history in one pass, for a history that is played item by item."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.branches import BranchName
from m2rec.inference.branch import BranchOutput
from m2rec.inference.engine import InferenceEngine

ROWS = 64  # positions whose distributions are in memory at a time


@dataclass(frozen=True)
class Along:
    """After each of L items: `gates` (L, M), and each branch's output with its `detail` at each."""

    gates: np.ndarray
    outputs: Mapping[BranchName, BranchOutput]


def along(engine: InferenceEngine, items: Sequence[int], band_keep: np.ndarray | None = None) -> Along:
    """Of L ≥ 1 items; band_keep (b,) mutes bands."""
    outputs, _ = engine.outputs(items, engine.start(), band_keep, at_each=True)
    return Along(np.exp(engine.gate.log_weights(outputs.values())), outputs)


def distributions(engine: InferenceEngine, said: Along, seen: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Each branch's distribution after each item: for a few positions at a time, which they are, and (n, M, V).

    seen bool (L, V), the items chosen until then. As `InferenceEngine.distributions` has them for one position.
    """
    for at in range(0, len(said.gates), ROWS):
        part = slice(at, min(at + ROWS, len(said.gates)))
        outputs = {name: out.at(part) for name, out in said.outputs.items()}
        yield part, engine.distributions_at(outputs, said.gates[part], seen[part])
