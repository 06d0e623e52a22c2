"""Small versions of M2Rec and all baselines behind one interface."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from m2rec.baselines.registry import SEQUENTIAL, make_baseline
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from tests.model.conftest import mamba_ssm, same_dice

__all__ = ["mamba_ssm", "same_dice"]

ITEMS = 14
LONGEST = 40
TEXT_WIDTH = 6
SMALL = {"width": 16, "max_length": LONGEST, "dropout": 0.0}
SMALLER: dict[str, dict[str, Any]] = {
    "gru4rec": {"hidden": 24, "layers": 2},
    "mamba2": {"heads_per_scale": 1, "head_width": 8, "state_width": 4, "temporal_layers": 2},
    "mamba4rec": {"state": 4},
    "bsarec": {"heads": 2},
    "wearec": {"heads": 2},
    "sasrec-text": {"id_dropout": 0.0},
}


@dataclass(frozen=True)
class Model:
    """One model of the suite: how to make it, and which optional ways to run it has."""

    name: str
    make: Callable[[int, int], nn.Module]  # items, warm items
    reads_text: bool = False
    steps: Callable[[nn.Module, Tensor], Tensor] | None = None  # histories (B, L) → scores after each item (B, L, V)

    def __str__(self) -> str:
        return self.name


def texts(items: int) -> Tensor:
    """Random text vectors (V+1, w), row 0 zeros. Item i has the same vector in every catalogue."""
    vectors = torch.randn(ITEMS + 1, TEXT_WIDTH, generator=torch.Generator().manual_seed(7))
    vectors[0] = 0
    return vectors[: items + 1]


def _baseline(name: str, items: int, warm: int, **settings: Any) -> nn.Module:
    torch.manual_seed(0)
    chosen = SMALL | SMALLER.get(name, {}) | settings
    return make_baseline(name, items, warm, texts(items), chosen, repeat_bias=-1.5).eval()


def _m2rec(items: int, warm: int, **settings: Any) -> nn.Module:
    torch.manual_seed(0)
    config = {
        "items": items,
        "warm_items": warm,
        "text_width": TEXT_WIDTH,
        "heads_per_scale": 1,
        "head_width": 8,
        "state_width": 4,
        "filter_length": 12,
        "periods": (2, 3, 7),
        "identity_width": 8,
        "id_dropout": 0.0,
    }
    return M2Rec(ModelConfig.model_validate(config | SMALL | settings), texts(items)).eval()


def _baseline_steps(model: Any, items: Tensor) -> Tensor:
    state, rows = model.start(len(items)), []
    for item in items.T:
        scores, state = model.step(item, state)
        rows.append(scores)
    return torch.stack(rows, dim=1)


def _m2rec_steps(model: Any, items: Tensor) -> Tensor:
    state, rows = model.start(len(items)), []
    seen = torch.zeros(len(items), model.config.items + 1, dtype=torch.bool)
    for item in items.T:
        encoded, state = model.step(item, state)
        seen[torch.arange(len(items)), item] = True
        rows.append(model.shares(encoded, seen[:, 1:]).sum(1).log())
    return torch.stack(rows, dim=1)


RECURRENT = {"gru4rec", "sasrec", "sasrec-text", "mamba2", "mamba4rec", "lrurec"}
BASELINES = [
    Model(
        name,
        lambda items, warm, name=name: _baseline(name, items, warm),  # type: ignore[misc]
        reads_text=name == "sasrec-text",
        steps=_baseline_steps if name in RECURRENT else None,
    )
    for name in SEQUENTIAL
]
TWO_LAYERS = Model(
    "mamba4rec of two layers",
    lambda items, warm: _baseline("mamba4rec", items, warm, layers=2),
    steps=_baseline_steps,
)
REPEATS = [
    Model(
        f"{name} with a repeat bias",
        lambda items, warm, name=name: _baseline(name, items, warm, repeat_bias=True),  # type: ignore[misc]
        reads_text=name == "sasrec-text",
    )
    for name in ("gru4rec", "sasrec-text", "bsarec")
]
M2REC = [
    Model("m2rec", _m2rec, reads_text=True, steps=_m2rec_steps),
    Model(
        "m2rec, gate on features",
        lambda items, warm: _m2rec(items, warm, gate="features"),
        reads_text=True,
        steps=_m2rec_steps,
    ),
]
MODELS = [*BASELINES, TWO_LAYERS, *REPEATS, *M2REC]
every_model = pytest.mark.parametrize("model", MODELS, ids=str)


def histories(lengths: tuple[int, ...] = (9, 1, 23, 16), items: int = ITEMS, seed: int = 0) -> Tensor:
    """Random histories, right-padded with 0. → (B, L)."""
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(1, items + 1, (length,), generator=generator) for length in lengths]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)
