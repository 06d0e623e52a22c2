"""What a finished run of a plan leaves: its figures, and what is needed to repeat it."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from m2rec.benchmark.accuracy.plan import Treatment
from m2rec.checkpoint import TrainingRecord

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

    def training_record(self) -> TrainingRecord:
        """How the weights were trained, as a checkpoint has it."""
        return TrainingRecord(
            settings=self.training,
            command=self.command,
            epochs=self.epochs,
            best_epoch=self.best_epoch,
            seconds=self.seconds,
            peak_memory_mib=self.peak_memory_mib,
            git_revision=self.revision,
            date=self.date,
            validation={name: self.validation["unmasked"][name] for name in ("NDCG@10", "HR@10")},
        )


@dataclass(frozen=True)
class RunRecord:
    """How long a run took, on which device, with which code."""

    hardware: str
    date: str
    command: str
    revision: str
    epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    peak_memory_mib: float = 0.0
