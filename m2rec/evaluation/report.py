"""`metrics.json`: what was measured on a checkpoint, each figure with everything needed to measure it again."""

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from m2rec.atomic import atomic_file
from m2rec.branches import BranchName
from m2rec.errors import CheckpointError

FORMAT: Final = 1
FILE = "metrics.json"
ROUNDING = 1e-6  # figures that differ by less are the same


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Frozen):
    """One number. `low` and `high` are the ends of its 95 % bootstrap interval over users."""

    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("an interval must not end before it starts")
        return self


class Advantage(_Frozen):
    """By how much one model is above another on the same targets, with its 95 % interval and its p."""

    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    p: FiniteFloat


class Agreement(_Frozen):
    """How well one gate weight separates events with its cause from those without (see `gates`)."""

    auc: FiniteFloat
    oracle: FiniteFloat | None = None  # the same for the oracle's forecast, where there is one
    weight_with: FiniteFloat  # mean weight before events with the cause …
    weight_without: FiniteFloat  # … and before the others
    targets: int  # events with the cause


class GateReport(_Frozen):
    """Agreement of each gate with its cause, where that occurs; the frequency gate's also by the rhythm's period and by
    cycles seen.
    """

    gates: dict[str, Agreement]
    by_period: dict[str, Agreement]
    by_cycles: dict[str, Agreement]


class Hits(_Frozen):
    """HR@10 on some of the targets, seen items left in."""

    targets: int
    model: FiniteFloat
    oracle: FiniteFloat  # of the fair oracle on the same targets
    random: FiniteFloat  # of ten items drawn at random


class Grades(_Frozen):
    """How well the gate predicts causes, and the figures of the fair oracle on the same targets."""

    gates: GateReport
    oracle: dict[str, FiniteFloat]  # its HR, NDCG and MRR, seen items left in: the ceiling
    hits: dict[str, Hits]  # by cause; "arrivals" are the items that occur in no training event


class _Measured(_Frozen):
    """One command's measurement of one checkpoint, with everything needed to repeat it."""

    split: Literal["validation", "test"]
    seeds: Annotated[list[int], Field(min_length=1)]  # of training
    targets: Annotated[int, Field(gt=0)]
    hardware: Annotated[str, Field(min_length=1)]
    date: date
    command: Annotated[str, Field(min_length=1)]
    revision: Annotated[str, Field(min_length=1)]  # of the code


class Measurement(_Measured):
    """Figures of one model under one protocol."""

    model: Annotated[str, Field(min_length=1)]  # "m2rec", "sasrec", …
    protocol: Annotated[str, Field(min_length=1)]  # the split and what is ranked, in words
    seen: Literal["unmasked", "masked"]  # items of the history left in, or taken out
    figures: Annotated[dict[str, Figure], Field(min_length=1)]

    @property
    def key(self) -> tuple[str, str, str, str, tuple[int, ...]]:
        """What is measured: a newer measurement with the same key replaces the older one."""
        return self.model, self.protocol, self.split, self.seen, tuple(self.seeds)


class GateMeasurement(_Measured):
    """How well the gate predicts causes, in a world where they are known."""

    grades: Grades


class Removal(_Measured):
    """The same model with one branch switched off, whose gate weight goes to the others, without training again."""

    branch: BranchName
    seen: Literal["unmasked", "masked"]
    figures: Annotated[dict[str, Figure], Field(min_length=1)]  # without the branch
    adds: Annotated[dict[str, Advantage], Field(min_length=1)]  # what the branch adds to them, paired over users

    @property
    def key(self) -> tuple[str, str, str, tuple[int, ...]]:
        """What is measured, as in `Measurement`."""
        return self.branch, self.split, self.seen, tuple(self.seeds)

    def belongs_to(self, whole: Measurement) -> bool:
        """Whether the whole model had these figures when the branch was switched off."""
        return (whole.model, whole.split, whole.seen) == ("m2rec", self.split, self.seen) and all(
            abs(self.figures[name].value + self.adds[name].value - figure.value) < ROUNDING
            for name, figure in whole.figures.items()
            if name in self.figures
        )


class MetricsFile(_Frozen):
    """The whole of `metrics.json`."""

    format: Literal[1] = FORMAT
    world: Annotated[str, Field(min_length=1)]
    measurements: list[Measurement] = []
    gates: GateMeasurement | None = None
    removals: list[Removal] = []

    @property
    def current_removals(self) -> list[Removal]:
        """The removals whose whole model has the figures of this file."""
        return [one for one in self.removals if any(map(one.belongs_to, self.measurements))]

    def with_measurements(self, fresh: list[Measurement]) -> "MetricsFile":
        """The same file with these added; older measurements of the same thing are replaced.

        Removals whose whole model was another one are left out.
        """
        merged = {measurement.key: measurement for measurement in [*self.measurements, *fresh]}
        found = self.model_copy(update={"measurements": list(merged.values())})
        return found.model_copy(update={"removals": found.current_removals})

    def with_removals(self, fresh: list[Removal]) -> "MetricsFile":
        """The same file with these added; older ones of the same branch are replaced."""
        merged = {removal.key: removal for removal in [*self.removals, *fresh]}
        return self.model_copy(update={"removals": list(merged.values())})


def read_metrics(folder: Path, world: str) -> MetricsFile:
    """What `folder` holds, or a file without measurements where there is none yet.

    Raises CheckpointError when the file is damaged or is of another world.
    """
    path = folder / FILE
    try:
        found = MetricsFile.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return MetricsFile(world=world)
    except (OSError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise CheckpointError(f"{path} is not a readable metrics file ({reason}); restore or delete it.") from error
    if found.world != world:
        raise CheckpointError(f"{path} is of the world {found.world}, not of {world}; restore or delete it.")
    return found


def write_metrics(folder: Path, metrics: MetricsFile) -> Path:
    """Replace `metrics.json` whole, or leave the old one as it was. → its path."""
    path = folder / FILE
    try:
        with atomic_file(path) as temporary:
            temporary.write_text(metrics.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"{path} could not be written ({error}); what was there before is unchanged.") from error
    return path
