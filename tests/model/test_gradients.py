"""The gradient of the loss is its slope, for every part of the network: nothing is cut off on the way by mistake."""

import pytest
import torch

from tests.model.histories import WARM, random_histories
from tests.tiny_world import random_model, tiny_config

STEP = 3e-3
PARTS = {  # settings → parameters whose whole gradient is meant to flow
    "spectral": (
        "gate.feed.0.weight",
        "temporal.layers.0.in_proj.weight",
        "temporal.layers.0.dt_bias",
        "frequency.transfer",
        "semantic.feed.0.weight",
        "ids",
        "project.weight",
    ),
    # what explains a choice is not trained for that use, so no slope of what it depends on is asked for
    "periodic": ("gate.feed.0.weight", "gate.feed.3.weight", "temporal.layers.0.in_proj.weight", "semantic.log_rate"),
}


@pytest.mark.parametrize(("frequency", "name"), [(variant, name) for variant, names in PARTS.items() for name in names])
def test_the_gradient_is_the_slope(frequency: str, name: str) -> None:
    model = random_model(tiny_config(frequency=frequency))
    items = random_histories(4, 24, highest=WARM)
    parameter = dict(model.named_parameters())[name]

    def loss() -> torch.Tensor:
        return model.loss(items[:, :-1], items[:, 1:], branch_loss=0.1)

    loss().backward()
    assert parameter.grad is not None
    gradient = parameter.grad.clone()
    direction = gradient / gradient.norm()
    with torch.no_grad():
        parameter += STEP * direction
        above = loss()
        parameter -= 2 * STEP * direction
        below = loss()
    assert float(gradient.norm()) > 1e-4
    assert float((above - below) / (2 * STEP)) == pytest.approx(float(gradient.norm()), rel=0.05, abs=1e-3)
