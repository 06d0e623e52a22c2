"""Settings that all baselines share; each baseline adds its own."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class BaselineSettings(BaseModel):
    """Shape of a baseline. All have the same defaults, so that their sizes are comparable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Positive = 64  # d
    max_length: Positive = 200  # longest history the model reads
    dropout: Rate = 0.2
    # a learned bias for seen items, as in M2Rec; left out of the dumped settings when off, so that the keys of older
    # runs stay valid
    repeat_bias: Annotated[bool, Field(exclude_if=lambda on: not on)] = False
