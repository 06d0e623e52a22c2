"""The output at every position of a history in one pass, for a history that is played item by item."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.inference.arrays import softmax
from m2rec.inference.engine import LEAST, InferenceEngine
from m2rec.inference.evidence import Recurrence
from m2rec.inference.frequency.periodic import Periodic
from m2rec.inference.semantic.themes import Themes

ROWS = 64  # positions whose distributions are in memory at a time


@dataclass(frozen=True)
class Along:
    """After each of L items: `gates` (L, M), the branches' `vectors`, one (L, d) each, `recurrences`, what may recur,
    with `frequency = "periodic"`, and `themes` (L, K) with `semantic = "themes"`.
    """

    gates: np.ndarray
    vectors: tuple[np.ndarray, ...]
    recurrences: list[Recurrence] | None
    themes: np.ndarray | None


def along(engine: InferenceEngine, items: Sequence[int], band_keep: np.ndarray | None = None) -> Along:
    """Of L ≥ 1 items; band_keep (b,) mutes bands."""
    chosen = np.asarray(items, dtype=np.int64)
    start = engine.start()
    temporal, _ = engine.temporal.advance(chosen, start.temporal)
    recurrences: list[Recurrence] | None = None
    if isinstance(engine.frequency, Periodic):
        recurrences = []
        frequency, _ = engine.frequency.advance(chosen, engine.frequency.start(), band_keep, recurrences)
    else:
        frequency, _ = engine.frequency.advance(chosen, engine.frequency.start(), band_keep)
    themes: np.ndarray | None = None
    if isinstance(engine.semantic, Themes):
        themes, _ = engine.semantic.believed(chosen, frequency.explanations, engine.semantic.start())
        semantic = themes @ engine.semantic.queries
    else:
        semantic = engine.semantic.advance(chosen, frequency.explanations, start.semantic)[0].vectors
    vectors = (temporal, frequency.vectors, semantic)
    return Along(np.exp(engine.gate.log_weights(vectors, frequency.evidence)), vectors, recurrences, themes)


def distributions(engine: InferenceEngine, said: Along, seen: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Each branch's distribution after each item: for a few positions at a time, which they are, and (n, M, V).

    seen bool (L, V), the items chosen until then. As `InferenceEngine.distributions` has them for one position.
    """
    for at in range(0, len(said.gates), ROWS):
        part = slice(at, min(at + ROWS, len(said.gates)))
        if engine.config.gate == "features":
            fused = sum(
                said.gates[part, place, None] * _scores(engine, place, said, part, seen)
                for place in range(len(BRANCHES))
            )
            yield part, np.repeat(softmax(np.asarray(fused))[:, None], len(BRANCHES), axis=1)
            continue
        rows = []
        for place, branch in enumerate(BRANCHES):
            if branch in engine.heads:
                rows.append(softmax(_scores(engine, place, said, part, seen)))
            elif branch == "frequency":
                rows.append(_recurring(engine, said, part))
            else:
                rows.append(_themed(engine, said, part))
        yield part, np.stack(rows, axis=1)


def _scores(engine: InferenceEngine, place: int, said: Along, part: slice, seen: np.ndarray) -> np.ndarray:
    branch = BRANCHES[place]
    head = engine.heads[branch]
    scores: np.ndarray = head.features(said.vectors[place][part]) @ engine.against[branch].T
    if head.popularity:
        scores += head.popularity * engine.items.bias[1 : engine.config.items + 1]
    if head.repeat_bias:
        scores += head.repeat_bias * seen[part]
    return scores


def _recurring(engine: InferenceEngine, said: Along, part: slice) -> np.ndarray:
    assert said.recurrences is not None
    found = said.recurrences[part]
    scores = np.zeros((len(found), engine.config.items), dtype=np.float32)
    for row, (items, known) in zip(scores, found, strict=True):
        ranked = items <= engine.config.items
        row[items[ranked] - 1] = known[ranked]
    return softmax(scores)


def _themed(engine: InferenceEngine, said: Along, part: slice) -> np.ndarray:
    assert said.themes is not None
    assert engine.emissions is not None
    mixed = np.maximum(said.themes[part] @ engine.emissions.T, LEAST)
    result: np.ndarray = mixed / mixed.sum(-1, keepdims=True)
    return result
