"""One history, one answer: the three branches, the gate and their distributions over the catalogue, without PyTorch.

    engine = InferenceEngine.from_folder("checkpoints/rhythm-market")
    reading = engine.read([12, 7, 12])              # all positions at once; continues a cached prefix
    reading.gates                                   # (L, M), the gate after each item
    state, position = engine.start(), None
    position, state = engine.step(12, state)        # the same, one item at a time
    position = engine.last([12, 7, 12])             # the newest position alone: the quickest for a long history
    engine.shares(position, engine.seen([12, 7]))   # (M, V), what each branch adds to each item's probability

Items are indices 1 … V of the catalogue, 0 is none. The last axis of (…, M) is in the order of `BRANCHES`. Large arrays
are shared and never written to, so an engine may be used from several threads.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from m2rec.branches import BRANCHES
from m2rec.inference.arrays import Weights, below, softmax
from m2rec.inference.frequency.periodic import Periodic
from m2rec.inference.frequency.spectral import Spectral
from m2rec.inference.gate import Gate, softmax_heads
from m2rec.inference.items import ItemArrays
from m2rec.inference.prefixes import PrefixCache
from m2rec.inference.reading import Position, Reading, State
from m2rec.inference.semantic.means import Means
from m2rec.inference.semantic.themes import Themes
from m2rec.inference.temporal import Temporal
from m2rec.model.config import ModelConfig

CACHE_BYTES = 24 << 20  # some five hundred states: those of as many visitors at a time
MARK = 64  # items after which the state within a history is cached
FEW = 2  # steps that are quicker than reading a whole history for its newest position
LEAST = np.float32(1e-12)  # floor under the probabilities of a mixture of themes, as in the branch


class InferenceEngine:
    """A checkpoint's network, arranged to answer one history at a time. `m2rec.model.M2Rec` is the reference."""

    def __init__(self, config: ModelConfig, weights: Weights, cache_bytes: int = CACHE_BYTES) -> None:
        """`weights` by the names that `M2Rec.state_dict` has. `read` caches up to `cache_bytes` of states.

        Raises KeyError where a weight is missing; `m2rec.checkpoint` has checked names and shapes before.
        """
        self.config = config
        semantic = below(weights, "semantic")
        popularity = semantic["popularity"] if config.semantic == "themes" else semantic["softmax.popularity"]
        self.items = ItemArrays.of(config, weights, float(popularity))
        self.bias = np.asarray(weights["bias"], dtype=np.float32)  # β of the items that have an ID vector, (warm,)
        self.temporal = Temporal(config, below(weights, "temporal"), self.items)
        frequency = below(weights, "frequency")
        self.frequency: Periodic | Spectral
        self.frequency = (Periodic if config.frequency == "periodic" else Spectral)(config, frequency, self.items)
        self.semantic: Themes | Means
        self.semantic = (Themes if config.semantic == "themes" else Means)(config, semantic, self.items)
        self.gate = Gate(config, below(weights, "gate"))
        self.heads = softmax_heads(config, weights)
        ranked = slice(1, config.items + 1)
        self._vectors, self._bias = self.items.vectors[ranked], self.items.bias[ranked]
        by_text = config.semantic_by_text
        self.against: dict[str, np.ndarray] = dict.fromkeys(BRANCHES, self._vectors)  # (V, d), what each branch scores
        self.against["semantic"] = self.items.text[ranked] if by_text else self._vectors
        self._emissions = self.semantic.emissions[ranked] if isinstance(self.semantic, Themes) else None
        self._cache = PrefixCache(cache_bytes)

    @classmethod
    def from_folder(cls, folder: str | Path, cache_bytes: int = CACHE_BYTES) -> "InferenceEngine":
        """From a complete checkpoint folder; `m2rec.checkpoint.Checkpoint.load` checks one."""
        content = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        config = ModelConfig.model_validate(content["model"])
        return cls(config, load_file(Path(folder) / "model.safetensors"), cache_bytes)

    # ── properties ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def band_periods(self) -> np.ndarray:
        """Period of each band in interactions, float64 (b,); inf where a band is a trend."""
        return self.frequency.band_periods

    @property
    def kernels(self) -> np.ndarray:
        """Impulse response of each band, float32 (b, W), lag 0 first: `gains @ kernels` is the filter applied."""
        return self.frequency.kernels

    @property
    def unit_vectors(self) -> np.ndarray:
        """Every item's vector, of unit length: float32 (V + 1, d), row 0 zero, new items at the end (`extended`)."""
        return self.frequency.unit

    @property
    def emissions(self) -> np.ndarray | None:
        """How likely each theme is to bring each item about: (V, K), or None without themes."""
        return self._emissions

    def extended(self, texts: np.ndarray, ids: np.ndarray | None = None) -> "InferenceEngine":
        """An engine that also reads n items known by their text vectors (n, text width), as V + 1 … V + n.

        They may occur in histories and are not ranked. ids (n, d) stand for their ID vectors, as in `of_texts`. The two
        engines share their memory; the new one caches no states.
        """
        twin = object.__new__(InferenceEngine)
        twin.__dict__.update(self.__dict__)
        more = self.items.of_texts(self.config, texts, ids)
        twin.temporal, twin.frequency = self.temporal.extended(more), self.frequency.extended(more)
        twin.semantic = self.semantic.extended(more)
        twin._cache = PrefixCache(0)
        return twin

    # ── three ways to read ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> State:
        """The state before the first item."""
        return State(self.temporal.start(), self.frequency.start(), self.semantic.start())

    def step(self, item: int, state: State, band_keep: np.ndarray | None = None) -> tuple[Position, State]:
        """One more item. band_keep (b,), 1 or 0, mutes bands → the newest position, and the new state; the old one
        stays valid.

        Cost and memory do not depend on how many items came before.
        """
        reading = self.advance([item], state, band_keep)
        return reading.position, reading.state

    def advance(self, items: Sequence[int], state: State, band_keep: np.ndarray | None = None) -> Reading:
        """All positions of a continuation, n ≥ 1 items → `gates` over these n alone, and the state after the last."""
        chosen = np.asarray(items, dtype=np.int64)
        temporal, temporal_state = self.temporal.advance(chosen, state.temporal)
        frequency, frequency_state = self.frequency.advance(chosen, state.frequency, band_keep)  # type: ignore[arg-type]
        semantic, semantic_state = self.semantic.advance(chosen, frequency.explanations, state.semantic)
        vectors = (temporal, frequency.vectors, semantic.vectors)
        log_gate = self.gate.log_weights(vectors, frequency.evidence)
        newest = np.concatenate([part[-1:] for part in vectors])
        position = Position(log_gate[-1], newest, frequency.gains, frequency.recurrence, semantic.themes)
        return Reading(np.exp(log_gate), position, State(temporal_state, frequency_state, semantic_state))

    def last(self, items: Sequence[int], band_keep: np.ndarray | None = None) -> Position:
        """The newest position of a whole history of L ≥ 1 items, without the gate's history and without a state."""
        chosen = np.asarray(items, dtype=np.int64)
        frequency = self.frequency.last(chosen, band_keep)
        semantic = self.semantic.last(chosen, frequency.explanations)
        vectors = (self.temporal.last(chosen)[None], frequency.vectors, semantic.vectors)
        log_gate = self.gate.log_weights(vectors, frequency.evidence)[0]
        newest = np.concatenate(vectors)
        return Position(log_gate, newest, frequency.gains, frequency.recurrence, semantic.themes)

    def read(self, items: Sequence[int], band_keep: np.ndarray | None = None) -> Reading:
        """A whole history of L ≥ 1 items, all positions: the gate's history (L, M) and the newest position. Continues
        the longest prefix in the cache with the same bands muted: whole histories, and each of them up to every
        `MARK`th item. So one more item costs one step, and a change anywhere costs what comes after it and less than
        `MARK` items before it.
        """
        chosen = tuple(int(item) for item in items)
        muted = None if band_keep is None else band_keep.tobytes()
        found = self._cache.longest(chosen, muted)
        if found is not None and len(found.gates) == len(chosen):
            return found
        state, parts = self.start() if found is None else found.state, [] if found is None else [found.gates]
        begin, new = 0 if found is None else len(found.gates), []
        while begin < len(chosen):
            end = min(len(chosen), begin - begin % MARK + MARK)
            rest = self.advance(chosen[begin:end], state, band_keep)
            parts = [np.concatenate([*parts, rest.gates])]
            new.append(Reading(parts[0], rest.position, rest.state))
            begin, state = end, rest.state
        self._cache.keep(chosen, muted, new)
        return new[-1]

    def newest(self, items: Sequence[int], band_keep: np.ndarray | None = None) -> Position:
        """The newest position of a whole history of L ≥ 1 items: a few steps on from a prefix in the cache, or else
        `last`. Caches nothing, so that questions asked in passing do not push out the histories that grow.
        """
        chosen = tuple(int(item) for item in items)
        found = self._cache.longest(chosen, None if band_keep is None else band_keep.tobytes())
        if found is None or len(chosen) - len(found.gates) > FEW:
            return self.last(chosen, band_keep)
        rest = chosen[len(found.gates) :]
        return self.advance(rest, found.state, band_keep).position if rest else found.position

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def seen(self, items: Sequence[int]) -> np.ndarray:
        """Which items of the catalogue a history holds; 0 and new items are ignored. → bool (V,)."""
        seen = np.zeros(self.config.items + 1, dtype=bool)
        chosen = np.asarray(items, dtype=np.int64)
        seen[chosen[chosen <= self.config.items]] = True
        return seen[1:]

    def distributions(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """Each branch's own distribution over the catalogue, float32 (M, V), rows summing to 1. seen bool (V,).

        With the gate on features there is one distribution only; all rows hold it.
        """
        if self.config.gate == "features":
            return np.broadcast_to(softmax(self._fused(position, seen)), (len(BRANCHES), self.config.items))
        result = np.empty((len(BRANCHES), self.config.items), dtype=np.float32)
        for place, (row, branch) in enumerate(zip(result, BRANCHES, strict=True)):
            if branch in self.heads:
                row[:] = self._scores(place, branch, position, seen)
                softmax(row)
            elif branch == "frequency":
                row[:] = self._recurring(position)
            else:
                row[:] = self._themed(position)
        return result

    def shares(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """g_m·p_m: what each branch adds to each item's probability, float32 (M, V), summing to 1 over both."""
        result: np.ndarray = self.distributions(position, seen) * position.gate[:, None]
        return result

    def log_probabilities(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """log Σ_m g_m·p_m for every item, (V,), finite also where the probability is too small for a float32."""
        if self.config.gate == "features":
            return _log_normed(self._fused(position, seen))
        rows = []
        for place, branch in enumerate(BRANCHES):
            if branch in self.heads:
                rows.append(_log_normed(self._scores(place, branch, position, seen)))
            elif branch == "frequency":
                scores = np.zeros(self.config.items, dtype=np.float32)
                items, known = self._recurring_here(position)
                scores[items - 1] = known
                rows.append(_log_normed(scores))
            else:
                rows.append(np.log(self._themed(position)))
        weighted = np.stack(rows) + position.log_gate[:, None]
        largest = weighted.max(0)  # the same as `logaddexp.reduce`, ten times as fast
        weighted -= largest
        result: np.ndarray = largest + np.log(np.exp(weighted, out=weighted).sum(0))
        return result

    def _scores(self, place: int, branch: str, position: Position, seen: np.ndarray) -> np.ndarray:
        return self.scores(branch, position.vectors[place], seen)

    def scores(self, branch: str, vector: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """The logits of a branch that scores items by their vectors. vector (d,), seen (V,) → (V,)."""
        head = self.heads[branch]
        scores = self.against[branch] @ head.features(vector)
        if head.popularity:
            scores += head.popularity * self._bias
        if head.repeat_bias:
            scores[seen] += head.repeat_bias
        result: np.ndarray = scores
        return result

    def _fused(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """Scores by the average of the branches' outputs, Σ_m g_m·b_m: (V,)."""
        scores = np.zeros(self.config.items, dtype=np.float32)
        for place, (weight, branch) in enumerate(zip(position.gate, BRANCHES, strict=True)):
            scores += weight * self._scores(place, branch, position, seen)
        return scores

    def _recurring_here(self, position: Position) -> tuple[np.ndarray, np.ndarray]:
        assert position.recurrence is not None
        items, scores = position.recurrence
        ranked = items <= self.config.items
        return items[ranked], scores[ranked]

    def _recurring(self, position: Position) -> np.ndarray:
        items, scores = self._recurring_here(position)
        row = np.zeros(self.config.items)
        row[items - 1] = scores
        result: np.ndarray = softmax(row)
        return result

    def _themed(self, position: Position) -> np.ndarray:
        assert position.themes is not None
        assert self._emissions is not None
        mixed = np.maximum(self._emissions @ position.themes, LEAST)
        result: np.ndarray = mixed / mixed.sum()
        return result


def _log_normed(scores: np.ndarray) -> np.ndarray:
    largest = scores.max()
    result: np.ndarray = scores - (largest + np.log(np.exp(scores - largest).sum()))
    return result


def as_arrays(weights: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights of a PyTorch model's `state_dict`, for an engine of it."""
    return {name: np.asarray(tensor.detach().cpu().numpy()) for name, tensor in weights.items()}
