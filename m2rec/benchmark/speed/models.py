"""The timed models: random weights, the same catalogue and width, each with its fastest way to answer.

An answer is the ten best of all items, computed from item indices that are already on the device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.baselines.registry import make_baseline
from m2rec.baselines.sasrec import SasRecState
from m2rec.baselines.sequential import Recurrent, SequentialBaseline
from m2rec.benchmark.speed.shapes import Shape
from m2rec.inference.engine import InferenceEngine, as_arrays
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from m2rec.model.softmax import seen_items

M2REC = "m2rec"
BEST = 10
TEXT_WIDTH = 384
BASELINES: dict[str, tuple[str, dict[str, int]]] = {
    "sasrec": ("sasrec", {"layers": 2}),
    "mamba4rec": ("mamba4rec", {"layers": 1}),
    "mamba4rec, 2 layers": ("mamba4rec", {"layers": 2}),
}
NAMES = (M2REC, *BASELINES)

Module = TypeVar("Module", bound=nn.Module)


class TimedModel(Protocol):
    """A model ready to be timed."""

    name: str

    def answer(self, items: Tensor) -> Tensor:
        """From scratch. items (B, L), no padding → the best items (B, 10)."""

    def live(self, items: Tensor) -> Callable[[Tensor], Tensor]:
        """Read a history (1, L). → a function from one more item (1,) to the best items (1, 10).

        Each call of that function starts from the same state, so the history does not grow during timing.
        """


@dataclass
class M2RecTimed:
    """M2Rec: with the NumPy engine, one history at a time, or with the PyTorch model, as one batch."""

    module: M2Rec
    by_engine: bool
    name: str = M2REC

    def __post_init__(self) -> None:
        self.table = self.module.item_table()
        self.engine: InferenceEngine | None = None
        if self.by_engine:
            self.engine = InferenceEngine(self.module.config, as_arrays(self.module.state_dict()), cache_bytes=0)

    def answer(self, items: Tensor) -> Tensor:
        """As `TimedModel.answer`."""
        if self.engine is None:
            at_end = torch.zeros_like(items, dtype=torch.bool)
            at_end[:, -1] = True
            seen = seen_items(items, at_end, self.module.config.items)
            return _best(self.module.shares(self.module.encode_last(items, self.table), seen, self.table).sum(1))
        return torch.from_numpy(np.stack([ten_best(self.engine, history) for history in items.tolist()]))

    def live(self, items: Tensor) -> Callable[[Tensor], Tensor]:
        """As `TimedModel.live`; with the NumPy engine only."""
        assert self.engine is not None
        engine, history = self.engine, items[0].tolist()
        state = engine.advance(history, engine.start()).state
        before = engine.seen(history)

        def add(item: Tensor) -> Tensor:
            position, _ = engine.step(int(item), state)
            seen = before.copy()
            seen[int(item) - 1] = True
            return torch.from_numpy(best_of(engine.shares(position, seen).sum(0)))[None]

        return add


@dataclass
class BaselineTimed:
    """A baseline with a precomputed item table. Items are ranked by scores: the softmax would not change the order."""

    name: str
    module: SequentialBaseline

    def __post_init__(self) -> None:
        self.table = self.module.items.table()
        self.scored = self.table.vectors[1 : len(self.table.bias) + 1].T.contiguous()  # (d, V), contiguous as in M2Rec
        self.encoder = self.module.encoder

    def answer(self, items: Tensor) -> Tensor:
        """As `TimedModel.answer`."""
        lengths = torch.full((len(items),), items.shape[1], device=items.device)
        return self._rank(self.encoder.last(F.embedding(items, self.table.vectors), lengths))

    def live(self, items: Tensor) -> Callable[[Tensor], Tensor]:
        """As `TimedModel.live`."""
        encoder = cast(Recurrent, self.encoder)
        state = encoder.start(1)
        for item in items.T:
            _, state = encoder.step(F.embedding(item, self.table.vectors), state)

        def add(item: Tensor) -> Tensor:
            if isinstance(state, SasRecState):
                state.rewind()  # lets the next step write into the cache in place, as for a growing history
            return self._rank(encoder.step(F.embedding(item, self.table.vectors), state)[0])

        return add

    def _rank(self, h: Tensor) -> Tensor:
        return _best(torch.addmm(self.table.bias, h, self.scored))


def timed_models(
    shape: Shape,
    longest: int,
    device: torch.device,
    names: Sequence[str] = NAMES,
    by_engine: bool | None = None,
) -> list[TimedModel]:
    """M2Rec of this shape, SASRec with two layers, and Mamba4Rec with one and with two, all of the same width.

    They read histories of up to `longest` items. `names` selects some of them. M2Rec answers with the NumPy engine if
    `by_engine`, which is by default so on a CPU.
    """
    engine = device.type == "cpu" if by_engine is None else by_engine
    with torch.inference_mode():
        made: list[TimedModel] = []
        for name, module in modules(shape, longest, names).items():
            ready = _ready(module, device)
            if isinstance(ready, M2Rec):
                made.append(M2RecTimed(ready, engine))
            else:
                made.append(BaselineTimed(name, cast(SequentialBaseline, ready)))
        return made


def modules(shape: Shape, longest: int, names: Sequence[str] = NAMES) -> dict[str, nn.Module]:
    """The untrained networks, by name."""
    torch.manual_seed(0)
    return {name: _make(name, shape, longest) for name in NAMES if name in names}


def ten_best(engine: InferenceEngine, history: Sequence[int]) -> np.ndarray:
    """The ten most probable items after a history of item indices. → int64 (10,), best first."""
    return best_of(engine.shares(engine.last(history), engine.seen(history)).sum(0))


def best_of(probabilities: np.ndarray) -> np.ndarray:
    """Indices from 1 of the ten largest of `probabilities` (V,). → int64 (10,), largest first."""
    count = min(BEST, len(probabilities))
    best = np.argpartition(probabilities, -count)[-count:]
    return best[np.argsort(-probabilities[best])] + 1


def _make(name: str, shape: Shape, longest: int) -> nn.Module:
    if name == M2REC:
        settings = shape.settings.model_dump() | {"max_length": longest}
        config = ModelConfig(**settings, items=shape.items, warm_items=shape.warm_items, text_width=TEXT_WIDTH)
        text = torch.randn(shape.items + 1, TEXT_WIDTH)
        text[0] = 0
        return M2Rec(config, text)
    kind, baseline = BASELINES[name]
    baseline = baseline | {"width": shape.settings.width, "max_length": longest}
    return make_baseline(kind, shape.items, shape.warm_items, settings=baseline)


def _ready(module: Module, device: torch.device) -> Module:
    return module.to(device).eval().requires_grad_(False)


def _best(scores: Tensor) -> Tensor:
    return scores.topk(min(BEST, scores.shape[-1])).indices + 1
