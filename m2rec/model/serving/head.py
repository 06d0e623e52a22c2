"""Gate, norms and temperatures at one position: `M2Rec._encoded`, all branches at once."""

import math
from typing import Any, cast

import numpy as np
import torch

from m2rec.model.frequency.recurrence import Due
from m2rec.model.m2rec import Encoded, M2Rec
from m2rec.model.serving.arrays import epsilon_of, gelu, unit_power, weights_of
from m2rec.model.serving.interests import Meaning
from m2rec.model.serving.rhythm import Rhythm
from m2rec.model.softmax import SoftmaxHead


def _scale(head: SoftmaxHead | None) -> torch.Tensor:
    return torch.ones(()) if head is None else head.log_temperature.exp()


class ServedHead:
    """Three branches in, `Encoded` out."""

    def __init__(self, model: M2Rec) -> None:
        self.equal, self.by_text = model.gate.equal, model.config.semantic_by_text
        self.switched_off = weights_of(model.gate.switched_off)
        width = model.config.width
        widen, narrow = (cast(Any, model.gate.feed[place]) for place in (0, 3))
        by_gate = torch.cat([cast(Any, norm).weight for norm in model.gate.norms])  # (3d,)
        self.widen = weights_of(
            torch.cat([widen.weight[:, : 3 * width] * by_gate, widen.weight[:, 3 * width :]], dim=1)
        )
        self.widen_bias = weights_of(widen.bias)
        self.narrow, self.narrow_bias = weights_of(narrow.weight), weights_of(narrow.bias)
        self.gate_epsilon = epsilon_of(model.gate.norms[0])
        heads: Any = model._heads()
        self.temporal = weights_of(heads[0].norm.weight * heads[0].log_temperature.exp())
        # where the branch knows themes it is not normed: what it says is in the themes
        self.semantic = weights_of(_scale(heads[2]) * (1.0 if model.by_theme else heads[2].norm.weight))
        self.by_theme = model.by_theme
        self.epsilon = epsilon_of(heads[0].norm)
        self.strength = float(_scale(heads[1]))  # the frequency branch is not normed: how loud it is tells something
        # what stands at the end of each branch's features, and where the rest of them begins
        self.width, half = width, width if self.by_text else 0
        self.blank = np.zeros((1, 3, width + half + 1), dtype=np.float32)
        self.blank[0, :, -1] = weights_of(model.per_branch("popularity"))
        self.text_half = slice(half, half + width)

    def __call__(self, temporal: np.ndarray, rhythm: Rhythm, meaning: Meaning) -> Encoded:
        """temporal (d,) → over (1,)."""
        features = self.blank.copy()
        features[0, 0, : self.width] = unit_power(temporal, self.epsilon) * self.temporal
        features[0, 1, : self.width] = rhythm.y * self.strength
        semantic = meaning.y if self.by_theme else unit_power(meaning.y, self.epsilon)
        features[0, 2, self.text_half] = semantic * self.semantic
        logits = self.switched_off
        if not self.equal:
            normed = [unit_power(branch, self.gate_epsilon) for branch in (temporal, rhythm.y, meaning.y)]
            inner = gelu(self.widen @ np.concatenate([*normed, rhythm.evidence]) + self.widen_bias)
            logits = logits + self.narrow @ inner + self.narrow_bias
        largest = logits.max()
        log_gate = logits - (largest + math.log(np.exp(logits - largest).sum()))
        features_now, log_gate_now, gains = (
            torch.from_numpy(part) for part in (features, log_gate[None], rhythm.gains[None])
        )
        due = Due(*(torch.from_numpy(part[None]) for part in rhythm.due)) if rhythm.due else None
        themes = None if meaning.themes is None else torch.from_numpy(meaning.themes[None])
        return Encoded(features_now, log_gate_now, gains, due, themes)
