"""A GPU computes what the CPU does: the loss, its gradients and all scores, of every shipped world and every baseline.

`python -m pytest -s --noconftest tests/model/test_gpu.py` prints the differences, and needs no data and no network.
"""

import copy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from m2rec.baselines.registry import SEQUENTIAL, make_baseline
from m2rec.baselines.settings import BaselineSettings
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec
from m2rec.worlds.settings import load_world

WORLDS = ("gift-shop", "ml-1m", "rhythm-market")
ITEMS, COLD, TEXT_WIDTH = 60, 4, 24
LENGTHS = (150, 97, 64, 3)  # of the histories: shorter and longer than a chunk of the scan
NOISE = 0.05  # added to all parameters: initial zeros could hide mistakes
SMALL = 1e-2  # a parameter's gradient is compared with at least this share of the whole gradient
BRANCH_LOSS = 0.02


@dataclass(frozen=True)
class Differences:
    """How far two copies of a model are apart, in float32 and, for the second one, in bfloat16."""

    loss: float
    gradient: float  # ‖g − g'‖ / ‖g‖ of the parameter where it is largest
    parameter: str  # its name
    last: float  # largest difference of log-probabilities after each history
    everywhere: float  # and after all positions
    low_loss: float  # the second copy's loss under autocast against the first copy's in float32
    low_gradient_is_finite: bool

    def __str__(self) -> str:
        finite = "finite" if self.low_gradient_is_finite else "NOT finite"
        return (
            f"loss {self.loss:.1e}, gradient {self.gradient:.1e} ({self.parameter}), log_scores {self.last:.1e} at the "
            f"end and {self.everywhere:.1e} at all positions; bf16: loss {self.low_loss:.1e}, gradients {finite}"
        )

    @property
    def close(self) -> bool:
        """Whether both copies compute the same, up to rounding."""
        exact = self.loss < 1e-3 and self.gradient < 1e-2 and self.last < 1e-2 and self.everywhere < 1e-2
        return exact and self.low_loss < 5e-2 and self.low_gradient_is_finite


def differences(one: nn.Module, other: nn.Module, items: Tensor, targets: Tensor) -> Differences:
    """Compare two copies of a model without dropout, each on its device. items, targets (B, L) on any device."""
    loss, gradients = loss_and_gradients(one, items, targets)
    other_loss, other_gradients = loss_and_gradients(other, items, targets)
    low_loss, low_gradients = loss_and_gradients(other, items, targets, low=True)
    assert gradients.keys() == other_gradients.keys()
    least = SMALL * torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
    apart = {
        name: float((gradient - other_gradients[name]).norm() / gradient.norm().clamp(min=least))
        for name, gradient in gradients.items()
    }
    worst = max(apart, key=lambda name: apart[name])
    everywhere = items > 0
    at_end = everywhere & ~torch.nn.functional.pad(everywhere[:, 1:], (0, 1))
    last, at_all = (furthest(scores(one, items, where), scores(other, items, where)) for where in (at_end, everywhere))
    finite = all(bool(gradient.isfinite().all()) for gradient in low_gradients.values())
    return Differences(abs(loss - other_loss), apart[worst], worst, last, at_all, abs(loss - low_loss), finite)


def loss_and_gradients(
    model: nn.Module, items: Tensor, targets: Tensor, low: bool = False
) -> tuple[float, dict[str, Tensor]]:
    """The loss and all gradients, on the CPU. `low` computes under autocast to bfloat16, as in training."""
    device = next(model.parameters()).device
    model.train()  # cuDNN's recurrent networks have gradients in this mode only
    model.zero_grad(set_to_none=True)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
        loss = model(items.to(device), targets.to(device), BRANCH_LOSS)
    loss.backward()
    found = {name: part.grad.cpu() for name, part in model.named_parameters() if part.grad is not None}
    return loss.item(), found


def scores(model: nn.Module, items: Tensor, where: Tensor) -> Tensor:
    """log p after the marked positions, on the CPU."""
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        return model.log_scores(items.to(device), where.to(device)).cpu()


def furthest(one: Tensor, other: Tensor) -> float:
    """The largest difference; infinite where one is −∞ and the other is not."""
    same = one == other  # both −∞, of items that are not scored
    return float((one - other).abs().masked_fill(same, 0).nan_to_num(torch.inf, torch.inf).max())


def histories() -> tuple[Tensor, Tensor]:
    """Histories with many repeats, right-padded, and the items after each position. Cold items are no targets."""
    generator = torch.Generator().manual_seed(0)
    rows = []
    for length in LENGTHS:
        few = torch.randint(1, ITEMS + 1, (1 + length // 4,), generator=generator)
        rows.append(few[torch.randint(len(few), (length + 1,), generator=generator)])
    padded = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    items, targets = padded[:, :-1], padded[:, 1:]
    return items * (targets > 0), targets * (targets <= ITEMS - COLD)


def texts() -> Tensor:
    vectors = torch.nn.functional.normalize(torch.randn(ITEMS + 1, TEXT_WIDTH), dim=-1)
    vectors[0] = 0
    return vectors


def m2rec_of(world: str, **changes: Any) -> nn.Module:
    """M2Rec with a shipped world's settings, except for `changes`."""
    settings = load_world(world).model.model_dump() | {"dropout": 0.0, "id_dropout": 0.0} | changes
    config = ModelConfig(**settings, items=ITEMS, warm_items=ITEMS - COLD, text_width=TEXT_WIDTH)
    return M2Rec(config, texts(), repeat_bias=-1.0)


def baseline_of(kind: str) -> nn.Module:
    """A baseline with its default settings."""
    fields: type[BaselineSettings] = SEQUENTIAL[kind].settings
    settings: dict[str, Any] = {name: 0.0 for name in ("dropout", "id_dropout") if name in fields.model_fields}
    return make_baseline(kind, ITEMS, ITEMS - COLD, texts(), settings)


MODELS: dict[str, Callable[[], nn.Module]] = {f"m2rec, {world}": partial(m2rec_of, world) for world in WORLDS}
MODELS |= {kind: partial(baseline_of, kind) for kind in SEQUENTIAL}


def made(name: str, models: Mapping[str, Callable[[], nn.Module]] = MODELS) -> nn.Module:
    """The model with all parameters changed."""
    torch.manual_seed(0)
    model = models[name]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += NOISE * torch.randn_like(parameter)
    return model


def compared(name: str, device: torch.device) -> Differences:
    """A model on the CPU and its copy on `device`."""
    model = made(name)
    found = differences(model, copy.deepcopy(model).to(device), *histories())
    sys.stdout.write(f"{name}: {found}\n")
    return found


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", MODELS)
def test_a_gpu_computes_what_the_cpu_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # else its recurrent networks round to ten bits
    found = compared(name, torch.device("cuda"))
    assert found.close, str(found)


def test_a_copy_on_the_same_device_computes_the_same() -> None:
    found = compared("m2rec, rhythm-market", torch.device("cpu"))
    assert found.close, str(found)
    assert max(found.loss, found.gradient, found.last, found.everywhere) < 1e-5
    assert found.low_loss > 0  # bfloat16 was used


@pytest.mark.parametrize("part", ["gate.feed.0.weight", "ids", "semantic.queries"])
def test_a_copy_that_computes_something_else_is_noticed(part: str) -> None:
    model = made("m2rec, rhythm-market")
    other = copy.deepcopy(model)
    with torch.no_grad():
        dict(other.named_parameters())[part].mul_(1.5)
    found = differences(model, other, *histories())
    assert found.gradient > 1e-2
    assert found.everywhere > 1e-2
    assert not found.close


def test_a_score_that_only_one_copy_gives_is_an_infinite_difference() -> None:
    inf = float("-inf")
    assert furthest(torch.tensor([0.0, inf]), torch.tensor([0.5, inf])) == 0.5
    assert furthest(torch.tensor([0.0, inf]), torch.tensor([0.0, -3.0])) == float("inf")
    assert furthest(torch.tensor([0.0, 1.0]), torch.tensor([0.0, float("nan")])) == float("inf")
