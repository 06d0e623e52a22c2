"""Settings of a training run."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class TrainingSettings(BaseModel):
    """What a world's settings file may set under [training]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    epochs: Positive = 100
    batch_size: Positive = 128  # windows, over all processes
    learning_rate: Annotated[float, Field(gt=0, le=1e30)] = 1e-3  # Adam overflows beyond
    # The repeat biases' learning rate as a multiple: a few slow scalars decide how often seen items are ranked first.
    # 1 is left out of the run's key, like `ema_decay` = 0 below.
    repeat_bias_rate: Annotated[float, Field(gt=0, exclude_if=lambda rate: rate == 1)] = 1.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.05
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    schedule: Literal["constant", "cosine"] = "cosine"  # cosine falls to a hundredth at the last epoch
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    # Decay per step of the moving average of the weights that is validated and saved; 0 uses the weights themselves,
    # and is then left out of the run's key so that the keys of older runs stay valid.
    ema_decay: Annotated[float, Field(ge=0, lt=1, exclude_if=lambda decay: decay == 0)] = 0.0
    branch_loss: Annotated[float, Field(ge=0)] = 0.02  # weight of each branch's own cross-entropy
    patience: Positive = 10  # epochs without a better validation NDCG@10
    precision: Literal["auto", "fp32", "bf16"] = "auto"  # auto: bf16 on a GPU, fp32 on a CPU
