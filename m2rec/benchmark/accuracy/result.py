"""The result of a finished run of a plan: its figures, and what is needed to repeat it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from m2rec.benchmark.accuracy.plan import Treatment

Figures = dict[str, float]


class Result(BaseModel):
    """The figures of one run, and what is needed to repeat it. Saved as JSON beside the ranks of all targets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str  # the entry's name
    world: str
    seed: int
    key: str  # a hash of everything that the result depends on; see `Job`
    kind: str
    settings: dict[str, Any]
    training: dict[str, Any]
    treatment: Treatment
    train_users: Annotated[int | None, Field(exclude_if=lambda users: users is None)] = None
    parameters: int
    validation: dict[str, Figures]  # keys "unmasked" and "masked": seen items left in or taken out
    test: dict[str, Figures] | None  # None if the plan does not use the test set
    targets: int
    epochs: int
    best_epoch: int
    seconds: float
    peak_memory_mib: float
    hardware: str
    date: str
    command: str
    revision: str
