"""With fixed shapes a training step gives the same loss and gradients, and no shape in it depends on values."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from m2rec.baselines.registry import make_baseline
from m2rec.model.fixed_shapes import fixed_shapes, shapes_are_fixed
from tests.model.test_gpu import (
    BRANCH_LOSS,
    COLD,
    ITEMS,
    MODELS,
    histories,
    loss_and_gradients,
    m2rec_of,
    made,
    texts,
)

WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive"}
ROWS, LENGTH = 6, 180  # of the padded batch


def with_repeat_bias(kind: str) -> nn.Module:
    settings = {"dropout": 0.0, "repeat_bias": True}
    return make_baseline(kind, ITEMS, ITEMS - COLD, texts(), settings, repeat_bias=-1.0)


ALL: dict[str, Callable[[], nn.Module]] = MODELS | {
    "films, gate on features": partial(m2rec_of, "ml-1m", gate="features"),
    "films, gate equal": partial(m2rec_of, "ml-1m", gate="equal"),
    "films, no frequency": partial(m2rec_of, "ml-1m", branches=["temporal", "semantic"]),
    "films, low-pass": partial(m2rec_of, "ml-1m", filter="low-pass"),
    "market, gate on features": partial(m2rec_of, "rhythm-market", gate="features"),
    "market, fixed filter": partial(m2rec_of, "rhythm-market", adaptive_filter=False),
    "market, themes by text": partial(
        m2rec_of, "ml-1m", frequency="periodic", semantic="themes", semantic_by_text=True
    ),
    "sasrec, repeat bias": partial(with_repeat_bias, "sasrec"),
}


class Operations(TorchDispatchMode):
    """Counts what makes the host wait for a GPU: reading a number, and shapes that depend on values."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = operation.overloadpacket.__name__
        by_mask = name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            isinstance(part, Tensor) and part.dtype == torch.bool for part in args[1] if part is not None
        )
        if name in WAITS or by_mask:
            self.found[name] += 1
        return operation(*args, **(kwargs or {}))


def padded(part: Tensor) -> Tensor:
    """More positions, and rows without any item."""
    full = part.new_zeros(ROWS, LENGTH)
    full[: len(part), : part.shape[1]] = part
    return full


@pytest.mark.parametrize("name", ALL)
def test_loss_and_gradients_are_the_same_and_nothing_waits(name: str) -> None:
    model = made(name, ALL)
    items, targets = histories()
    loss, gradients = loss_and_gradients(model, items, targets)
    operations = Operations()
    with fixed_shapes(), operations:
        model.zero_grad(set_to_none=True)
        fixed = model(padded(items), padded(targets), BRANCH_LOSS)
        fixed.backward()
    waits = {} if name.startswith("gru4rec") else dict(operations.found)
    assert waits == {}
    assert abs(fixed.item() - loss) < 1e-5 * max(1.0, abs(loss))
    found = {key: part.grad for key, part in model.named_parameters() if part.grad is not None}
    assert found.keys() == gradients.keys()
    whole = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
    for key, gradient in gradients.items():
        assert (found[key] - gradient).norm() <= 2e-4 * gradient.norm() + 1e-6 * whole, key


def test_only_what_runs_inside_has_fixed_shapes() -> None:
    assert not shapes_are_fixed()
    with fixed_shapes():
        assert shapes_are_fixed()
    assert not shapes_are_fixed()


def test_weights_that_changed_in_place_are_read_again() -> None:
    """A graph reads the weights as they are when it runs, so nothing may be kept from the step that was recorded."""
    model = made("m2rec, rhythm-market").train()
    items, targets = histories()
    with fixed_shapes():
        first = model(items, targets, BRANCH_LOSS).detach()
        with torch.no_grad():  # without the version counter that tells a cache that a tensor has changed
            model.frequency.transfer.data.mul_(1.5)
        second = model(items, targets, BRANCH_LOSS).detach()
    assert float(second) == pytest.approx(loss_and_gradients(model, items, targets)[0], abs=1e-5)
    assert float(first) != pytest.approx(float(second), abs=1e-4)


def test_an_evaluation_reads_weights_that_a_fused_optimiser_has_changed() -> None:
    """It changes them without counting a new version, by which a cache would notice."""
    model = made("m2rec, rhythm-market")
    items, _ = histories()
    optimizer = torch.optim.AdamW([model.frequency.transfer], lr=0.1, fused=True)
    for _ in range(2):
        model.eval()
        with torch.no_grad():
            found = model.log_scores(items, items > 0)
            fresh = made("m2rec, rhythm-market").eval()
            fresh.load_state_dict(model.state_dict())
            assert torch.equal(found, fresh.log_scores(items, items > 0))
        model.train()
        model.frequency.transfer.grad = torch.ones_like(model.frequency.transfer)
        optimizer.step()
