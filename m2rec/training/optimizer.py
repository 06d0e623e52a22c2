"""AdamW: weight decay on matrices only, and a learning rate of their own for the repeat biases."""

from torch import nn
from torch.optim import AdamW

from m2rec.training.settings import TrainingSettings

REPEAT_BIASES = ("repeat_bias", "newest_bias")


def make_optimizer(model: nn.Module, settings: TrainingSettings) -> AdamW:
    """Parameter groups: weight decay for tensors with two or more axes, none for the rest; and the repeat biases, where
    `settings.repeat_bias_rate` is not 1. "initial_lr" of each group is its learning rate before warmup and schedule.

    On a GPU a step is one kernel a group. The model must be on its device already.
    """
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    faster = {name for name in trained if name.endswith(REPEAT_BIASES)} if settings.repeat_bias_rate != 1 else set()
    usual = [parameter for name, parameter in trained.items() if name not in faster]
    groups = [
        {"params": [p for p in usual if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in usual if p.ndim < 2], "weight_decay": 0.0},
    ]
    if faster:
        rate = settings.learning_rate * settings.repeat_bias_rate
        groups.append({"params": [trained[name] for name in sorted(faster)], "weight_decay": 0.0, "lr": rate})
    optimizer = AdamW(groups, lr=settings.learning_rate, fused=all(parameter.is_cuda for parameter in trained.values()))
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer
