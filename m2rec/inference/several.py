"""The newest position of several histories of one length in one pass, for questions such as "what if this item were not
there": what the histories share is worked out once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from m2rec.branches import BranchName
from m2rec.inference.arrays import log_softmax
from m2rec.inference.branch import BranchInput, BranchOutput
from m2rec.inference.engine import InferenceEngine

AT_ONCE = 4096  # positions of all histories together: what is made of them stays in a processor's cache


@dataclass(frozen=True)
class Several:
    """After each of B histories: `log_gate` (B, M), and each branch's output over (B,)."""

    log_gate: np.ndarray
    outputs: Mapping[BranchName, BranchOutput]


def several(engine: InferenceEngine, items: np.ndarray, band_keep: np.ndarray | None = None) -> Several:
    """What `InferenceEngine.last` says of each. items int64 (B, L), the more like the first the quicker; band_keep (b,)
    mutes bands.
    """
    given, outputs = BranchInput(items, band_keep), {}
    for name, branch in engine.branches.items():
        outputs[name] = branch.last_of_each(given)
        given = given.after(outputs[name])
    return Several(engine.gate.log_weights(outputs.values()), outputs)


def log_probability(
    engine: InferenceEngine, said: Several, seen: np.ndarray, target: int, gate: np.ndarray | None = None
) -> np.ndarray:
    """log p of item `target` (1 … V) after each, as in `InferenceEngine.log_probabilities`. seen (B, V) → (B,).

    `gate` (M,) are weights of the branches' distributions in place of the gate's own. With the gate on features there
    is one distribution only, which they do not change.
    """
    if engine.fusion is not None:
        return log_softmax(engine.fusion.scores(said.outputs, np.exp(said.log_gate), seen))[:, target - 1]
    each = [
        branch.log_probabilities(said.outputs[name], seen)[:, target - 1] for name, branch in engine.branches.items()
    ]
    with np.errstate(divide="ignore"):  # a weight of 0
        log_gate = said.log_gate if gate is None else np.log(gate)
    result: np.ndarray = np.logaddexp.reduce(np.stack(each, axis=1) + log_gate, axis=1)
    return result
