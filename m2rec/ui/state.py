"""Everything the page shows follows from one `State` and the loaded model; `Session` adds undo and redo.

The page holds the session and sends it along with every request, so the server keeps nothing between
requests and a restart loses nothing. Each step of undo and redo is stored as a link (see `link.py`):
what can be undone is exactly what can be shared.
"""

import math
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from m2rec.errors import InputError
from m2rec.recommend.answer import MODALITIES, Shares

STATE_VERSION: Final = 1
HISTORY_LIMIT = 4000  # chips on the page; the model itself may read fewer and says so
UNDO_LIMIT = 60
K_LIMIT = 50

ItemId = Annotated[str, Field(min_length=1, max_length=200)]
Day = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]  # since 1970
Theme = Literal["auto", "light", "dark"]
Comparison = Literal["temporal", "frequency", "semantic", "shuffled", "popularity"]
Model = TypeVar("Model", bound=BaseModel)


class State(BaseModel):
    """What the visitor has chosen. Frozen: every action makes a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = STATE_VERSION
    world: Annotated[str, Field(min_length=1, max_length=100)]
    history: Annotated[tuple[ItemId, ...], Field(max_length=HISTORY_LIMIT)] = ()  # oldest first
    days: Annotated[tuple[Day | None, ...], Field(max_length=HISTORY_LIMIT)] = ()  # the date of each place, or no clock
    k: Annotated[int, Field(ge=1, le=K_LIMIT)] = 10
    exclude_seen: bool = False
    gate_override: Shares | None = None  # sums to 1
    band_mask: Annotated[tuple[tuple[float, float], ...], Field(max_length=20)] = ()  # muted periods, in interactions
    period: Annotated[float, Field(ge=1, le=HISTORY_LIMIT)] | None = None  # the period being looked at
    compare: Comparison | None = None
    lesson: Annotated[str, Field(max_length=60)] | None = None
    lesson_step: Annotated[int, Field(ge=0, le=9)] = 0
    theme: Theme = "auto"

    @field_validator("gate_override")
    @classmethod
    def _whole(cls, value: Shares | None) -> Shares | None:
        if value is None:
            return None
        if set(value) != set(MODALITIES):
            raise ValueError(f"gate_override must name {', '.join(MODALITIES)}")
        if any(not math.isfinite(share) or share < 0 for share in value.values()) or sum(value.values()) <= 0:
            raise ValueError("gate_override must hold finite weights, none negative and at least one above zero")
        total = sum(value.values())
        return {modality: round(value[modality] / total, 6) for modality in MODALITIES}

    @field_validator("band_mask")
    @classmethod
    def _bands(cls, value: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for low, high in value:
            if not (math.isfinite(low) and math.isfinite(high) and 0 < low < high):
                raise ValueError("each muted band must be a pair of finite periods, the shorter one first")
        return value

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.days and len(self.days) != len(self.history):
            raise ValueError("days must hold one date or null for each item of the history, or nothing")
        return self

    def but(self, **changes: object) -> Self:
        """A checked copy with some fields changed; raises InputError when a value is not allowed."""
        return checked(type(self), {**self.model_dump(), **changes})


class Session(BaseModel):
    """A state with its past and its undone future, newest last, each as a link."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    undo: Annotated[tuple[str, ...], Field(max_length=UNDO_LIMIT)] = ()
    redo: Annotated[tuple[str, ...], Field(max_length=UNDO_LIMIT)] = ()

    @model_validator(mode="after")
    def _compact(self) -> Self:
        if any(len(step) > 100_000 for step in (*self.undo, *self.redo)):
            raise ValueError("a step of the undo list is longer than any state")
        return self


def checked(kind: type[Model], data: object) -> Model:
    """`data` as a validated model; the first thing wrong with it becomes an InputError of one sentence."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the request"
        why = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where} cannot be used: {why[0].lower()}{why[1:]}.") from error
