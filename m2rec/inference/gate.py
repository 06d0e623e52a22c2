"""The gate and the softmaxes: from the branches' outputs to weights and distributions."""

from collections.abc import Mapping, Sequence

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.inference.arrays import Weights, below, gelu, log_softmax, rms_normed
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

    def log_weights(self, vectors: Sequence[np.ndarray], evidence: np.ndarray) -> np.ndarray:
        """log g. One (n, d) a branch, evidence (n, e) → (n, M); −inf where a branch is off."""
        if self.equal:
            logits = np.zeros((len(evidence), len(BRANCHES)), dtype=np.float32)
        else:
            normed = rms_normed(np.concatenate(vectors, axis=1).reshape(len(evidence), len(vectors), -1))
            read = np.concatenate([normed.reshape(len(evidence), -1), evidence], axis=1)
            logits = gelu(read @ self.widen + self.widen_bias) @ self.narrow + self.narrow_bias
        return log_softmax(logits + self.switched_off)


class SoftmaxHead:
    """`m2rec.model.softmax.SoftmaxHead`: norm and temperature of a branch's vector, κ and ρ."""

    def __init__(self, weights: Weights) -> None:
        self.normed = "norm.weight" in weights
        temperature = np.exp(weights["log_temperature"])
        self.scale = weights["norm.weight"] * temperature if self.normed else temperature
        self.popularity, self.repeat_bias = np.float32(weights["popularity"]), np.float32(weights["repeat_bias"])

    def features(self, vector: np.ndarray) -> np.ndarray:
        """The vector whose product with an item's is its score. (d,) → (d,)."""
        result: np.ndarray = (rms_normed(vector) if self.normed else vector) * self.scale
        return result


def softmax_heads(config: ModelConfig, weights: Weights) -> Mapping[str, SoftmaxHead]:
    """One for every branch that scores items by its vector; for all of them with the gate on features."""
    stem = "fusion.heads.{}" if config.gate == "features" else "{}.softmax"
    found = {branch: below(weights, stem.format(branch)) for branch in BRANCHES}
    return {branch: SoftmaxHead(own) for branch, own in found.items() if own}
