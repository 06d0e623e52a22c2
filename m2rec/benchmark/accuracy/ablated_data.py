"""Ablations of the data: events in random order, or texts that say nothing about their item."""

from dataclasses import replace

import numpy as np

from m2rec.benchmark.accuracy.plan import Treatment
from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences


def ablated(prepared: Prepared, treatment: Treatment, seed: int) -> Prepared:
    """The same data without one kind of information. Targets, and the set of items before each target, stay the same.

    "order-shuffled" shuffles each user's training part, so that no model can learn from order. With leave-one-out this
    part is also the history before the targets; histories of held-out users are not shuffled. "text-permuted" gives
    each item another item's text vector; "text-removed" sets all text vectors to zero; "none" changes nothing.
    """
    rng = np.random.default_rng(seed)
    if treatment == "order-shuffled":
        events = prepared.sequences.events.copy()
        for start, end in zip(prepared.sequences.offsets[:-1], prepared.split.train_end, strict=True):
            rng.shuffle(events[start : start + end])
        return replace(prepared, sequences=Sequences(events, prepared.sequences.offsets), timestamps=None)
    vectors = prepared.text_vectors
    if treatment == "text-permuted":
        vectors = np.concatenate([vectors[:1], vectors[1:][rng.permutation(len(vectors) - 1)]])
    if treatment == "text-removed":
        vectors = np.zeros_like(vectors)
    return replace(prepared, text_vectors=vectors)
