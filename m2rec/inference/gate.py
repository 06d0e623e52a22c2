"""The gate: from the branches' outputs to their weights."""

from collections.abc import Collection

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.inference.arrays import Shapes, Weights, feed_shapes, gelu, log_softmax, rms_normed
from m2rec.inference.branch import BranchOutput
from m2rec.model.config import ModelConfig


class Gate:
    """`m2rec.model.gate.Gate`."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        """`weights` of the gate, without "gate." in front."""
        self.equal = config.gate == "equal"
        off = [0.0 if branch in config.branches else -np.inf for branch in BRANCHES]
        self.switched_off = np.array(off, dtype=np.float32)
        normed = np.concatenate([weights[f"norms.{at}.weight"] for at in range(len(BRANCHES))])
        widen = weights["feed.0.weight"].copy()
        widen[:, : len(normed)] *= normed  # a norm's weight is folded into the layer after it
        self.widen, self.widen_bias = np.ascontiguousarray(widen.T), weights["feed.0.bias"]
        self.narrow, self.narrow_bias = np.ascontiguousarray(weights["feed.3.weight"].T), weights["feed.3.bias"]

    @staticmethod
    def shapes(width: int, evidence: int) -> Shapes:
        """Of its weights; width d, and how many numbers of evidence it reads."""
        count = len(BRANCHES)
        norms: Shapes = {f"norms.{place}.weight": (width,) for place in range(count)}
        return norms | feed_shapes(0, count * width + evidence, width, count, 3)

    def log_weights(self, outputs: Collection[BranchOutput]) -> np.ndarray:
        """log g. One output a branch, in order, over (n,) → (n, M); −inf where a branch is off."""
        vectors = [out.vectors for out in outputs]
        n = len(vectors[0])
        if self.equal:
            logits = np.zeros((n, len(vectors)), dtype=np.float32)
        else:
            normed = rms_normed(np.concatenate(vectors, axis=1).reshape(n, len(vectors), -1)).reshape(n, -1)
            evidence = [out.evidence for out in outputs if out.evidence is not None]
            read = np.concatenate([normed, *evidence], axis=1)
            logits = gelu(read @ self.widen + self.widen_bias) @ self.narrow + self.narrow_bias
        return log_softmax(logits + self.switched_off)
