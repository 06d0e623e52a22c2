"""One history, one answer: the branches, the gate and their distributions over the catalogue, without PyTorch.

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
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from safetensors.numpy import load_file

from m2rec.branches import BRANCHES, BranchName
from m2rec.inference.arrays import Weights, below, log_softmax, softmax
from m2rec.inference.branch import Branch, BranchInput, BranchOutput
from m2rec.inference.fusion import FeatureFusion
from m2rec.inference.gate import Gate
from m2rec.inference.items import ItemArrays
from m2rec.inference.prefixes import PrefixCache
from m2rec.inference.reading import Position, Reading, State
from m2rec.inference.recent import Recent
from m2rec.inference.registry import branch_classes
from m2rec.model.config import ModelConfig

if TYPE_CHECKING:
    from m2rec.inference.frequency.periodic import Periodic
    from m2rec.inference.frequency.spectral import Spectral
    from m2rec.inference.semantic.means import Means
    from m2rec.inference.semantic.themes import Themes
    from m2rec.inference.temporal import Temporal

CACHE_BYTES = 24 << 20  # some five hundred states: those of as many visitors at a time
DISTRIBUTION_SHARE = 4  # one fourth as much again is for the distributions of the newest of them
CACHE_EVERY = 64  # items after which the state within a history is cached
MOST_STEPS = 2  # steps that are quicker than reading a whole history for its newest position


class InferenceEngine:
    """A checkpoint's network, arranged to answer one history at a time. `m2rec.model.M2Rec` is the reference."""

    def __init__(self, config: ModelConfig, weights: Weights, cache_bytes: int = CACHE_BYTES) -> None:
        """`weights` by the names that `M2Rec.state_dict` has. `read` caches up to `cache_bytes` of states.

        Raises KeyError where a weight is missing; `m2rec.checkpoint` has checked names and shapes before.
        """
        self.config = config
        classes = branch_classes(config)
        by_text = cast("type[Themes | Means]", classes["semantic"])
        self.items = ItemArrays.of(config, weights, by_text.popularity_weight(below(weights, "semantic")))
        self.bias = np.asarray(weights["bias"], dtype=np.float32)  # β of the items that have an ID vector, (warm,)
        self.branches: dict[BranchName, Branch] = {
            name: branch(config, below(weights, name), self.items) for name, branch in classes.items()
        }
        self.gate = Gate(config, below(weights, "gate"))
        self.fusion: FeatureFusion | None = None
        if config.gate == "features":
            self.fusion = FeatureFusion(below(weights, "fusion"), self.branches, self.items)
        self._cache = PrefixCache(cache_bytes)
        self._distributions: Recent[tuple[Position, np.ndarray]] = Recent(cache_bytes // DISTRIBUTION_SHARE)

    @classmethod
    def from_folder(cls, folder: str | Path, cache_bytes: int = CACHE_BYTES) -> "InferenceEngine":
        """From a complete checkpoint folder; `m2rec.checkpoint.Checkpoint.load` checks one."""
        content = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
        config = ModelConfig.model_validate(content["model"])
        return cls(config, load_file(Path(folder) / "model.safetensors"), cache_bytes)

    # ── what some views show of one branch ──────────────────────────────────────────────────────────────────

    @property
    def temporal(self) -> "Temporal":
        """The branch of that key."""
        return cast("Temporal", self.branches["temporal"])

    @property
    def frequency(self) -> "Periodic | Spectral":
        """The branch of that key."""
        return cast("Periodic | Spectral", self.branches["frequency"])

    @property
    def semantic(self) -> "Themes | Means":
        """The branch of that key."""
        return cast("Themes | Means", self.branches["semantic"])

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
        emissions = self.semantic.emissions
        return None if emissions is None else emissions[1 : self.config.items + 1]

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def extended(self, texts: np.ndarray, ids: np.ndarray | None = None) -> "InferenceEngine":
        """An engine that also reads n items known by their text vectors (n, text width), as V + 1 … V + n.

        They may occur in histories and are not ranked. ids (n, d) stand for their ID vectors, as in `of_texts`. The two
        engines share their memory; the new one caches no states.
        """
        twin = object.__new__(InferenceEngine)
        twin.__dict__.update(self.__dict__)
        more = self.items.of_texts(self.config, texts, ids)
        twin.branches = {name: branch.extended(more) for name, branch in self.branches.items()}
        twin._cache = PrefixCache(0)
        return twin

    def start(self) -> State:
        """The state before the first item."""
        return State({name: branch.start() for name, branch in self.branches.items()})

    def step(self, item: int, state: State, band_keep: np.ndarray | None = None) -> tuple[Position, State]:
        """One more item. band_keep (b,), 1 or 0, mutes bands → the newest position, and the new state; the old one
        stays valid.

        Cost and memory do not depend on how many items came before.
        """
        reading = self.advance([item], state, band_keep)
        return reading.position, reading.state

    def advance(self, items: Sequence[int], state: State, band_keep: np.ndarray | None = None) -> Reading:
        """All positions of a continuation, n ≥ 1 items → `gates` over these n alone, and the state after the last."""
        outputs, after = self.outputs(items, state, band_keep)
        log_gate = self.gate.log_weights(outputs.values())
        newest = {name: out.newest() for name, out in outputs.items()}
        return Reading(np.exp(log_gate), Position(log_gate[-1], newest), after)

    def outputs(
        self, items: Sequence[int], state: State, band_keep: np.ndarray | None = None, at_each: bool = False
    ) -> tuple[dict[BranchName, BranchOutput], State]:
        """What each branch says at these n positions, and the state after the last; `at_each` as in `BranchInput`."""
        given = BranchInput(np.asarray(items, dtype=np.int64), band_keep, at_each=at_each)
        outputs, after = {}, {}
        for name, branch in self.branches.items():
            outputs[name], after[name] = branch.advance(given, state.branches[name])
            given = given.after(outputs[name])
        return outputs, State(after)

    def last(self, items: Sequence[int], band_keep: np.ndarray | None = None) -> Position:
        """The newest position of a whole history of L ≥ 1 items, without the gate's history and without a state."""
        given, outputs = BranchInput(np.asarray(items, dtype=np.int64), band_keep), {}
        for name, branch in self.branches.items():
            outputs[name] = branch.last(given)
            given = given.after(outputs[name])
        return Position(self.gate.log_weights(outputs.values())[0], outputs)

    def read(self, items: Sequence[int], band_keep: np.ndarray | None = None) -> Reading:
        """A whole history of L ≥ 1 items, all positions: the gate's history (L, M) and the newest position. Continues
        the longest prefix in the cache with the same bands muted: whole histories, and each of them up to every
        `CACHE_EVERY`th item. So one more item costs one step, and a change anywhere costs what comes after it and less
        than `CACHE_EVERY` items before it.
        """
        chosen = tuple(int(item) for item in items)
        muted = None if band_keep is None else band_keep.tobytes()
        found = self._cache.longest(chosen, muted)
        if found is not None and len(found.gates) == len(chosen):
            return found
        state, parts = self.start() if found is None else found.state, [] if found is None else [found.gates]
        begin, new = 0 if found is None else len(found.gates), []
        while begin < len(chosen):
            end = min(len(chosen), begin - begin % CACHE_EVERY + CACHE_EVERY)
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
        if found is None or len(chosen) - len(found.gates) > MOST_STEPS:
            return self.last(chosen, band_keep)
        rest = chosen[len(found.gates) :]
        return self.advance(rest, found.state, band_keep).position if rest else found.position

    def forget(self) -> None:
        """Drop what is cached, and free its memory: all that was read before is read anew."""
        self._cache.clear()
        self._distributions.clear()

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def seen(self, items: Sequence[int]) -> np.ndarray:
        """Which items of the catalogue a history holds; 0 and new items are ignored. → bool (V,)."""
        seen = np.zeros(self.config.items + 1, dtype=bool)
        chosen = np.asarray(items, dtype=np.int64)
        seen[chosen[chosen <= self.config.items]] = True
        return seen[1:]

    def distributions(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """Each branch's own distribution over the catalogue, float32 (M, V), rows summing to 1. seen bool (V,).

        With the gate on features there is one distribution only; all rows hold it. Cached and read-only: an answer, its
        other candidates and what one change would do ask for the same ones.
        """
        key = id(position), seen.tobytes()
        found = self._distributions.get(key)
        if found is not None:
            return found[1]
        result = self.distributions_at(position.outputs, position.gate[None], seen[None])[0]
        result.flags.writeable = False
        # the position is cached beside them, so that no other one can get its id
        self._distributions.keep(key, (position, result), result.nbytes + position.nbytes + seen.nbytes)
        return result

    def distributions_at(
        self, outputs: Mapping[BranchName, BranchOutput], gates: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """The same at n positions, whose outputs were asked for at each. gates (n, M), seen (n, V) → (n, M, V)."""
        result = np.empty((len(gates), len(BRANCHES), self.config.items), dtype=np.float32)
        if self.fusion is not None:
            result[:] = softmax(self.fusion.scores(outputs, gates, seen))[:, None]
            return result
        for place, (name, branch) in enumerate(self.branches.items()):
            result[:, place] = branch.probabilities(outputs[name], seen)
        return result

    def shares(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """g_m·p_m: what each branch adds to each item's probability, float32 (M, V), summing to 1 over both."""
        result: np.ndarray = self.distributions(position, seen) * position.gate[:, None]
        return result

    def log_probabilities(self, position: Position, seen: np.ndarray) -> np.ndarray:
        """log Σ_m g_m·p_m for every item, (V,), finite also where the probability is too small for a float32."""
        outputs, row = position.outputs, seen[None]
        if self.fusion is not None:
            return log_softmax(self.fusion.scores(outputs, position.gate[None], row))[0]
        each = [branch.log_probabilities(outputs[name], row) for name, branch in self.branches.items()]
        weighted = np.concatenate(each) + position.log_gate[:, None]
        largest = weighted.max(0)  # the same as `logaddexp.reduce`, ten times as fast
        weighted -= largest
        result: np.ndarray = largest + np.log(np.exp(weighted, out=weighted).sum(0))
        return result


def as_arrays(weights: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights of a PyTorch model's `state_dict`, for an engine of it."""
    return {name: np.asarray(tensor.detach().cpu().numpy()) for name, tensor in weights.items()}
