"""AdamW with decay on matrices only: time constants, gates' biases, norms and temperatures do not decay."""

from torch import nn
from torch.optim import AdamW

from m2rec.training.settings import TrainingSettings


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> AdamW:
    """Two groups: tensors with two or more axes decay, the rest do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return AdamW(
        [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
    )
