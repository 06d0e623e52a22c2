"""The state of the temporal branch: the share of each past item that is left in each of its memories."""

from dataclasses import dataclass

import numpy as np

from m2rec.inference.arrays import softmax
from m2rec.inference.temporal import Temporal
from m2rec.inference.terms.scores import Asked, ScoreTerms, score_terms


@dataclass(frozen=True)
class Memory:
    """The heads of one time scale, in the last layer.

    `left` (L,) is the share of each item, oldest first, that has not been forgotten at the end: Π e^(−Δ·|A|) over the
    items after it, the mean of the heads. `span` is the scale's time constant in interactions where content does not
    move it. `without` (d,) is what the branch says where this memory holds nothing.
    """

    span: float
    left: np.ndarray
    without: np.ndarray


@dataclass(frozen=True)
class TemporalTerms:
    """`memories`, the shortest first, and p(i) where one of them holds nothing, `without` (S,); `called` (V,) is the
    branch's distribution after the newest item alone.
    """

    memories: tuple[Memory, ...]
    without: np.ndarray
    called: np.ndarray
    score: ScoreTerms


def temporal_terms(branch: Temporal, asked: Asked) -> TemporalTerms:
    """Of the item that was asked about, at the end of the history."""
    items = asked.given.items
    held = memories(branch, items)
    without = [score_terms(branch.head, asked, memory.without).probability for memory in held]
    newest = items[-1:]
    seen = np.arange(1, len(asked.seen) + 1) == newest
    called = softmax(branch.head.scores(branch.newest(newest)[None], seen[None], newest)[0].astype(np.float64))
    return TemporalTerms(held, np.array(without), called, score_terms(branch.head, asked))


def memories(branch: Temporal, items: np.ndarray) -> tuple[Memory, ...]:
    """Shortest first. items (L,), L ≥ 1."""
    layer, scales = branch.layers[-1], branch.scales
    dt = branch.step_sizes(items)
    log_decay = -dt * layer.rate  # (L, H)
    later = log_decay[::-1].cumsum(0)[::-1] - log_decay
    left = np.exp(later).reshape(len(items), scales, -1).mean(-1)
    resting = 1 / (np.log1p(np.exp(layer.projection.dt_bias)) * layer.rate)
    spans = resting.reshape(scales, -1).mean(-1)
    found = []
    for scale in range(scales):
        heads = np.ones(layer.heads, dtype=np.float32)
        heads.reshape(scales, -1)[scale] = 0
        found.append(Memory(float(spans[scale]), left[:, scale], branch.newest(items, heads)))
    return tuple(sorted(found, key=lambda memory: memory.span))
