"""Learning rate over a run: linear warm-up, then constant or a cosine."""

import math

from m2rec.training.settings import TrainingSettings

FINAL_FACTOR = 0.01  # of the full rate, at the end of the cosine


def lr_factor(step: int, steps: int, settings: TrainingSettings) -> float:
    """The factor on the learning rate at `step` (from 0) of `steps`."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return 1.0
    progress = (step - settings.warmup_steps) / max(1, steps - settings.warmup_steps)
    return FINAL_FACTOR + (1 - FINAL_FACTOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
