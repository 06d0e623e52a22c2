"""The models that are timed: random weights, one catalogue, one width, each with its fastest way to answer.

An answer is the ten best of all items, from item indices that are already on the device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.baselines.registry import make_baseline
from m2rec.baselines.sasrec import SasRecState
from m2rec.baselines.sequential import Recurrent, SequentialBaseline
from m2rec.model.config import ModelConfig, ModelSettings
from m2rec.model.m2rec import M2Rec
from m2rec.model.serving.serving import Serving
from m2rec.model.softmax import seen_items
from m2rec.worlds.settings import load_world

WORLD = "ml-1m"
BEST = 10
TEXT_WIDTH = 384
BASELINES: dict[str, tuple[str, dict[str, int]]] = {
    "sasrec": ("sasrec", {"layers": 2}),
    "mamba4rec": ("mamba4rec", {"layers": 1}),
    "mamba4rec, 2 layers": ("mamba4rec", {"layers": 2}),
}
NAMES = ("m2rec", *BASELINES)

Module = TypeVar("Module", bound=nn.Module)


class TimedModel(Protocol):
    """A model ready to be timed."""

    name: str

    def answer(self, items: Tensor) -> Tensor:
        """From scratch. items (B, L), no padding → the best items (B, 10)."""

    def live(self, items: Tensor) -> Callable[[Tensor], Tensor]:
        """Read a history (1, L) item by item → a function from one more item (1,) to the best items (1, 10).

        Every call starts from the same state, so that the history does not grow while it is timed.
        """


@dataclass
class M2RecTimed:
    """M2Rec: on a CPU through `Serving`, one history at a time, on a GPU through the model, all at once."""

    module: M2Rec
    name: str = "m2rec"

    def __post_init__(self) -> None:
        self.table = self.module.item_table()
        self.serving = None if self.table.unit.is_cuda else Serving(self.module, self.table)

    def answer(self, items: Tensor) -> Tensor:
        """As `TimedModel.answer`."""
        if self.serving is None:
            at_end = torch.zeros_like(items, dtype=torch.bool)
            at_end[:, -1] = True
            seen = seen_items(items, at_end, self.module.config.items)
            return _best(self.module.shares(self.module.encode_last(items, self.table), seen, self.table).sum(1))
        found = []
        for history in items.numpy():
            shares = self.serving.shares(self.serving.last(history), self.serving.seen(history))
            found.append(_best(shares.sum(1)))
        return torch.cat(found)

    def live(self, items: Tensor) -> Callable[[Tensor], Tensor]:
        """As `TimedModel.live`; on a CPU."""
        assert self.serving is not None
        serving, state = self.serving, self.serving.start()
        history = items[0].numpy()
        for item in history:
            _, state = serving.step(item, state)
        before = serving.seen(history)

        def add(item: Tensor) -> Tensor:
            encoded, _ = serving.step(int(item), state)
            seen = before.clone()
            seen[:, item - 1] = True
            return _best(serving.shares(encoded, seen).sum(1))

        return add


@dataclass
class BaselineTimed:
    """A baseline with its item table computed once. Scores are ranked without a softmax, which keeps their order."""

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
                state.rewind()  # the cache is then written in place, as for a growing history
            return self._rank(encoder.step(F.embedding(item, self.table.vectors), state)[0])

        return add

    def _rank(self, h: Tensor) -> Tensor:
        return _best(torch.addmm(self.table.bias, h, self.scored))


def timed_models(items: int, longest: int, device: torch.device, names: Sequence[str] = NAMES) -> list[TimedModel]:
    """M2Rec as shipped for MovieLens-1M, SASRec of two layers, Mamba4Rec of one and of two, all of one width.

    They read histories of up to `longest` items; `names` leaves out the others.
    """
    with torch.inference_mode():
        made: list[TimedModel] = []
        for name, module in modules(items, longest, names).items():
            ready = _ready(module, device)
            made.append(
                M2RecTimed(ready) if isinstance(ready, M2Rec) else BaselineTimed(name, cast(SequentialBaseline, ready))
            )
        return made


def modules(items: int, longest: int, names: Sequence[str] = NAMES) -> dict[str, nn.Module]:
    """The untrained networks themselves, by name."""
    torch.manual_seed(0)
    shape = load_world(WORLD).model
    return {name: _make(name, shape, items, longest) for name in NAMES if name in names}


def _make(name: str, shape: ModelSettings, items: int, longest: int) -> nn.Module:
    if name == "m2rec":
        config = ModelConfig(
            **(shape.model_dump() | {"max_length": longest}), items=items, warm_items=items, text_width=TEXT_WIDTH
        )
        text = torch.randn(items + 1, TEXT_WIDTH)
        text[0] = 0
        return M2Rec(config, text)
    kind, settings = BASELINES[name]
    return make_baseline(kind, items, items, settings=settings | {"width": shape.width, "max_length": longest})


def _ready(module: Module, device: torch.device) -> Module:
    return module.to(device).eval().requires_grad_(False)


def _best(scores: Tensor) -> Tensor:
    return scores.topk(min(BEST, scores.shape[-1])).indices + 1
