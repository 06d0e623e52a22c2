"""The moving average follows the weights, forgets the untrained ones, and does not change the model."""

import pytest
import torch
from torch import nn

from m2rec.training.average import moving_average
from m2rec.training.settings import TrainingSettings


def test_it_is_the_weighted_mean_of_the_weights_so_far() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = moving_average(model, 0.5)
    seen = [4.0, 2.0, 10.0]
    for value in seen:
        nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    # the first is taken as it is, the second at weight 1 - 2/11, the third at 1 - 3/12 (both decays are under 0.5)
    expected = seen[0] + (1 - 2 / 11) * (seen[1] - seen[0])
    expected += (1 - 3 / 12) * (seen[2] - expected)
    assert average.module.weight.item() == pytest.approx(expected)
    assert model.weight.item() == 10.0


def test_after_many_steps_the_decay_is_the_given_one() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = moving_average(model, 0.5)
    nn.init.constant_(model.weight, 0.0)
    for _ in range(100):
        average.update_parameters(model)
    nn.init.constant_(model.weight, 1.0)
    average.update_parameters(model)
    assert average.module.weight.item() == pytest.approx(0.5)


def test_gradients_go_to_the_model_only() -> None:
    model = nn.Linear(2, 1)
    average = moving_average(model, 0.9)
    model(torch.ones(1, 2)).sum().backward()
    assert model.weight.grad is not None
    assert average.module.weight.grad is None


def test_a_run_without_an_average_has_the_key_of_runs_before_the_option_existed() -> None:
    assert "ema_decay" not in TrainingSettings().model_dump()
    assert TrainingSettings(ema_decay=0.9).model_dump()["ema_decay"] == 0.9
