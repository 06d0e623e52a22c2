"""An exponential moving average of a model's weights: validated and saved instead of the latest weights.

It smooths the noise of single steps as a falling learning rate does, without a number of epochs known in advance, so it
suits runs that end when validation stalls (Polyak and Juditsky 1992; torch.optim.swa_utils).
"""

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` whose weights follow: average ← d · average + (1 − d) · weights at each `update_parameters`.

    d = min(decay, (1 + n) / (10 + n)) after n updates, so that the untrained weights are soon forgotten.
    """

    def follow(average: Tensor, latest: Tensor, updates: Tensor | int) -> Tensor:
        count = int(updates)
        return average.lerp(latest, 1 - min(decay, (1 + count) / (10 + count)))

    return AveragedModel(model, avg_fn=follow)
