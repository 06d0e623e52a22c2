"""Settings that all baselines share; each baseline adds its own."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class BaselineSettings(BaseModel):
    """Shape of a baseline. The defaults are the same for all, so that none is larger by accident."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Positive = 64  # d
    max_length: Positive = 200  # longest history the model reads
    dropout: Rate = 0.2
    # a learned score for what was chosen before, as M2Rec has one; left out of the settings of models without it, so
    # that the keys of their runs stay valid
    repeat_bias: Annotated[bool, Field(exclude_if=lambda on: not on)] = False
