"""All terms of one item after one history: three probabilities, three weights, and the terms of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.inference.arrays import softmax
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.evidence import FrequencyRead
from m2rec.inference.frequency.periodic import Periodic, PeriodicState
from m2rec.inference.reading import Position, Reading
from m2rec.inference.semantic.themes import Themes
from m2rec.inference.terms.due import DueTerms, due_terms
from m2rec.inference.terms.filtered import FilterTerms, filter_terms
from m2rec.inference.terms.memories import Memory, memories
from m2rec.inference.terms.scores import ScoreTerms, score_terms
from m2rec.inference.terms.tastes import MeansTerms, ThemeTerms, means_terms, theme_terms

TEMPORAL, FREQUENCY, SEMANTIC = map(BRANCHES.index, ("temporal", "frequency", "semantic"))


@dataclass(frozen=True)
class TemporalTerms:
    """`memories`, the shortest first, and p(i) where one of them holds nothing, `without` (S,); `called` (V,) is the
    branch's distribution after the newest item alone.
    """

    memories: tuple[Memory, ...]
    without: np.ndarray
    called: np.ndarray
    score: ScoreTerms


@dataclass(frozen=True)
class GateTerms:
    """`weights` (M,), summing to 1. Beside the branches' vectors the gate reads the frequency branch's `evidence`
    (e,); `nothing_due` (M,) are the weights where that had found nothing, None where it is not asked what is due.
    """

    weights: np.ndarray
    evidence: np.ndarray
    nothing_due: np.ndarray | None


@dataclass(frozen=True)
class ItemTerms:
    """Why an item is as likely as it is. As in the answer: `probabilities` (M,) of each branch alone, and `gates`
    (L, M), the weights after each item of the history.

    The terms of a branch are None with the gate on features, where no branch has a distribution of its own.
    """

    probabilities: np.ndarray
    gates: np.ndarray
    gate: GateTerms
    temporal: TemporalTerms | None
    frequency: DueTerms | FilterTerms | None
    semantic: ThemeTerms | MeansTerms | None


def item_terms(
    engine: InferenceEngine,
    items: Sequence[int],
    target: int,
    seen: np.ndarray,
    band_keep: np.ndarray | None = None,
) -> ItemTerms:
    """Of item `target` (1 … V) after a history of L ≥ 1 items; seen bool (V,), band_keep (b,) mutes bands."""
    chosen = np.asarray(items, dtype=np.int64)
    reading = engine.read(items, band_keep)
    read = engine.frequency.last(chosen, band_keep)
    probabilities = engine.distributions(reading.position, seen)[:, target - 1]
    gate = _gate(engine, reading.position, read)
    if engine.config.gate == "features":
        return ItemTerms(probabilities, reading.gates, gate, None, None, None)
    return ItemTerms(
        probabilities,
        reading.gates,
        gate,
        _temporal(engine, chosen, reading.position, target, seen),
        _frequency(engine, chosen, reading, read, target, seen, band_keep),
        _semantic(engine, chosen, reading.position, read, target, seen),
    )


def _temporal(
    engine: InferenceEngine, chosen: np.ndarray, position: Position, target: int, seen: np.ndarray
) -> TemporalTerms:
    held = memories(engine.temporal, chosen, len(engine.config.time_scales))
    without = [score_terms(engine, "temporal", memory.without, target, seen).probability for memory in held]
    newest = chosen[-1:]
    called = engine.scores("temporal", engine.temporal.last(newest), engine.seen(newest.tolist()))
    score = score_terms(engine, "temporal", position.vectors[TEMPORAL], target, seen)
    return TemporalTerms(held, np.array(without), softmax(called.astype(np.float64)), score)


def _frequency(
    engine: InferenceEngine,
    chosen: np.ndarray,
    reading: Reading,
    read: FrequencyRead,
    target: int,
    seen: np.ndarray,
    band_keep: np.ndarray | None,
) -> DueTerms | FilterTerms:
    branch, position = engine.frequency, reading.position
    if isinstance(branch, Periodic):
        state = reading.state.frequency
        assert isinstance(state, PeriodicState)
        assert position.recurrence is not None
        return due_terms(branch, state, position.recurrence, target, engine.config.items, band_keep)
    score = score_terms(engine, "frequency", position.vectors[FREQUENCY], target, seen)
    vector, head = engine.against["frequency"][target - 1], engine.heads["frequency"]
    return filter_terms(branch, head, chosen, vector, position.gains, read.evidence[-1], score)


def _semantic(
    engine: InferenceEngine,
    chosen: np.ndarray,
    position: Position,
    read: FrequencyRead,
    target: int,
    seen: np.ndarray,
) -> ThemeTerms | MeansTerms:
    if isinstance(engine.semantic, Themes):
        return theme_terms(engine.semantic, chosen, target, read.explanations, engine.config.items)
    score = score_terms(engine, "semantic", position.vectors[SEMANTIC], target, seen)
    return means_terms(engine.semantic, chosen, target, score)


def _gate(engine: InferenceEngine, position: Position, read: FrequencyRead) -> GateTerms:
    nothing_due = None
    if isinstance(engine.frequency, Periodic):
        vectors = [row[None] for row in position.vectors]
        vectors[FREQUENCY] = np.zeros_like(vectors[FREQUENCY])
        silent = engine.frequency.nothing_due()
        nothing_due = np.exp(engine.gate.log_weights(vectors, silent[None])[0])
    return GateTerms(position.gate, read.evidence[-1], nothing_due)
