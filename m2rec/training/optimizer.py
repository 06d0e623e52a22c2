"""AdamW with weight decay on matrices only: not on time constants, biases, norms and temperatures."""

from torch import nn
from torch.optim import AdamW

from m2rec.training.settings import TrainingSettings


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> AdamW:
    """Two parameter groups: weight decay for tensors with two or more axes, none for the rest.

    On a GPU a step is one kernel a group. The model must be on its device already.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return AdamW(
        [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        fused=all(parameter.is_cuda for parameter in parameters),
    )
