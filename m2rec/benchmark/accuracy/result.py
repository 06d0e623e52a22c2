"""What a finished run of a plan leaves: its figures, and what is needed to repeat it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from m2rec.benchmark.accuracy.plan import Treatment

Figures = dict[str, float]


class Result(BaseModel):
    """The figures of one run, and everything needed to repeat it. Saved beside the ranks of every target."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str  # the entry's name
    world: str
    seed: int
    key: str  # a hash of everything that decides the outcome; see `Job`
    kind: str
    settings: dict[str, Any]
    training: dict[str, Any]
    treatment: Treatment
    train_users: Annotated[int | None, Field(exclude_if=lambda users: users is None)] = None
    parameters: int
    validation: dict[str, Figures]  # by "unmasked" and "masked"
    test: dict[str, Figures] | None  # None where the plan does not use the test set
    targets: int
    epochs: int
    best_epoch: int
    seconds: float
    peak_memory_mib: float
    hardware: str
    date: str
    command: str
    revision: str
