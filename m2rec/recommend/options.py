"""The fields of a request and their types, the same for Python, HTTP, the page and its links."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    field_validator,
)

from m2rec.branches import BRANCHES, BranchName
from m2rec.recommend.validation import checked, must

MOST_ITEMS = 50
LONGEST_HISTORY = 100_000  # entries of a history; a model reads the newest of them, and the rest counts as chosen
LONGEST_NAME = 200  # characters of an item id, of a title that is searched for, of an invention
MOST_DIGITS = 10**300  # an integer beyond it fits no float


def _plain(value: Any) -> Any:
    """A scalar of NumPy, such as a cell of a table, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


FromNumPy = BeforeValidator(_plain)
Number = Annotated[StrictFloat | Annotated[StrictInt, Field(ge=-MOST_DIGITS, le=MOST_DIGITS)], FromNumPy]
Band = tuple[float, float]  # lowest and highest period, in interactions


def _normalised(weights: dict[BranchName, float]) -> dict[BranchName, float]:
    """A weight for every branch, adding up to 1."""
    values = [float(weights.get(name, 0.0)) for name in BRANCHES]
    if not any(values) or not all(0 <= value < math.inf for value in values):
        raise ValueError("not weights")
    largest = max(values)  # divided by first, so that the sum of large weights stays finite
    total = sum(value / largest for value in values)
    return {name: value / largest / total for name, value in zip(BRANCHES, values, strict=True)}


def rising(band: Band) -> Band:
    """Two periods, the shorter one first. Raises ValueError for any others."""
    low, high = (float(edge) for edge in band)
    if not 0 < low <= high:  # nor is it so for nan
        raise ValueError("not a band")
    return low, high


def _listed(value: Any) -> Any:
    """A sequence other than text, as a list; a set, a mapping or a word is refused."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else value


K = Annotated[StrictInt, Field(ge=1, le=MOST_ITEMS), FromNumPy, must(f"be a whole number from 1 to {MOST_ITEMS}")]
Flag = Annotated[StrictBool, FromNumPy, must("be true or false")]
GateWeights = Annotated[
    dict[BranchName, Number],
    AfterValidator(_normalised),
    must(f"give {', '.join(BRANCHES)} a finite weight of 0 or more each, at least one above 0"),
]
MutedBand = Annotated[
    tuple[Number, Number],
    BeforeValidator(_listed),
    AfterValidator(rising),
    must("be a pair of periods in interactions, low and high, with 0 < low ≤ high"),
]
MutedBands = Annotated[
    list[MutedBand],
    BeforeValidator(_listed),
    must("be a list of pairs of periods in interactions, each low and high"),
]


class Options(BaseModel):
    """How a history is to be answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    k: K = 10
    exclude_seen: Flag = False
    gate_override: GateWeights | None = None
    band_mask: MutedBands | None = None

    @field_validator("gate_override", mode="before")
    @classmethod
    def _nothing_overridden(cls, value: Any) -> Any:
        return None if isinstance(value, Mapping) and not value else value


def gate_weights(weights: Mapping[BranchName, float]) -> np.ndarray:
    """Checked gate weights in the order of BRANCHES, float64 (M,)."""
    return np.array([weights[name] for name in BRANCHES])


def checked_k(k: object) -> int:
    """How many items to show. Raises InputError outside 1…50."""
    return checked(Options, {"k": k}).k
