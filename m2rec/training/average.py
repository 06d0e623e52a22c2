"""An exponential moving average of a model's weights: validated and saved instead of the latest weights.

Like a falling learning rate it smooths the noise of single steps, but it needs no number of epochs in advance, which
suits runs that end when validation stalls (Polyak and Juditsky 1992; torch.optim.swa_utils).
"""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = list[Tensor] | tuple[Tensor, ...]


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` that averages its weights. `update_parameters` sets average ← d · average + (1 − d) · weights.

    d = min(decay, (1 + n) / (10 + n)) after n updates: small at first, so that the untrained weights soon fade.
    """

    def follow(averages: Tensors, latest: Tensors, updates: Tensor | int) -> None:
        count = int(average.n_averaged)  # kept on the CPU, unlike `updates`: reading it does not make the host wait
        torch._foreach_lerp_(averages, latest, 1 - min(decay, (1 + count) / (10 + count)))

    average = AveragedModel(model, multi_avg_fn=follow)
    return average
