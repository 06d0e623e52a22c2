"""The `State` of the page, from which everything shown follows; `Session` adds undo and redo.

The page holds the session and sends it along with every request, so the server keeps nothing between
requests and a restart loses nothing. Each step of undo and redo is stored as a link (see `link.py`):
what can be undone is exactly what can be shared.
"""

import math
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from m2rec.branches import BRANCHES, BranchName
from m2rec.recommend.answer import PerBranch
from m2rec.recommend.options import LONGEST_NAME, Flag, GateWeights, K, rising
from m2rec.recommend.validation import checked, must

STATE_VERSION: Final = 1
HISTORY_LIMIT = 4000  # chips on the page; the model itself may read fewer and says so
UNDO_LIMIT = 60
LONGEST_UNDO = 6_000_000  # characters of all steps together, which each request sends; see LARGEST_BODY
BAND_LIMIT = 20
MOST_CHOICES = 6  # of a lesson's question
LONGEST_LINK = 200_000  # characters; 4,000 ids of 36 random characters take 120,000

ItemId = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_NAME),
    must(f"be an item's id, or “~” and words of one's own, of 1 to {LONGEST_NAME} characters"),
]
ItemIds = Annotated[
    tuple[ItemId, ...], Field(max_length=HISTORY_LIMIT), must(f"be a list of at most {HISTORY_LIMIT} item ids")
]
Name = Annotated[str, Field(min_length=1, max_length=100), must("be a name of 1 to 100 characters")]
Theme = Annotated[Literal["auto", "light", "dark"], must("be auto, light or dark")]
Comparison = Annotated[
    Literal[BranchName, "shuffled", "popularity"],
    must(f"be {', '.join(BRANCHES)}, shuffled or popularity"),
]
Links = Annotated[
    tuple[Annotated[str, Field(max_length=LONGEST_LINK)], ...],
    Field(max_length=UNDO_LIMIT),
    must(f"be a list of at most {UNDO_LIMIT} links"),
]


def _rounded(shares: PerBranch) -> PerBranch:
    """To six digits, so that a link stays short. The sum is 1, and a share that has no more digits keeps its value."""
    millionths = {name: round(share * 1e6, 3) for name, share in shares.items()}
    whole = {name: math.floor(share) for name, share in millionths.items()}
    by_remainder = sorted(shares, key=lambda name: whole[name] - millionths[name])
    for name in by_remainder[: 1_000_000 - sum(whole.values())]:
        whole[name] += 1
    return {name: share / 1e6 for name, share in whole.items()}


LookedAt = Annotated[float, Field(ge=1, le=HISTORY_LIMIT), must(f"be a period from 1 to {HISTORY_LIMIT} interactions")]
FiniteBand = Annotated[
    tuple[FiniteFloat, FiniteFloat],
    AfterValidator(rising),
    must("be a pair of finite periods in interactions, low and high, with 0 < low ≤ high"),
]
FiniteBands = Annotated[
    tuple[FiniteBand, ...],
    Field(max_length=BAND_LIMIT),
    must(f"be a list of at most {BAND_LIMIT} pairs of periods in interactions"),
]
SHORTEST_FOLD, LONGEST_FOLD = 2, 28
Fold = Annotated[
    int,
    Field(ge=SHORTEST_FOLD, le=LONGEST_FOLD),
    must(f"be the length of a row, a whole number from {SHORTEST_FOLD} to {LONGEST_FOLD}"),
]
Day = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]  # since 1970
Days = Annotated[
    tuple[Day | None, ...],
    Field(max_length=HISTORY_LIMIT),
    must(f"be a list of at most {HISTORY_LIMIT} days since 1970, or null where there is none"),
]


Gate = Annotated[GateWeights, AfterValidator(_rounded)]  # sums to 1
LessonChoice = Annotated[
    int, Field(ge=0, lt=MOST_CHOICES), must("be the number of one of the lesson's choices, from 0")
]


LessonMark = Annotated[
    int,
    Field(ge=2, le=HISTORY_LIMIT),
    must(f"be a period in interactions, a whole number from 2 to {HISTORY_LIMIT}"),
]


class State(BaseModel):
    """What the visitor has chosen. Frozen: every action makes a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = STATE_VERSION
    world: Name
    history: ItemIds = ()  # oldest first
    days: Days = ()  # the date of each place, or no clock
    k: K = 10
    exclude_seen: Flag = False
    gate_override: Gate | None = None
    band_mask: FiniteBands = ()  # muted periods, in interactions
    period: LookedAt | None = None  # the period being looked at
    fold: Fold | None = None  # the history in rows of so many
    compare: Comparison | None = None
    lesson: Name | None = None
    lesson_step: Annotated[int, Field(ge=0, le=9), must("be a step of a lesson, 0 to 9")] = 0
    lesson_choice: LessonChoice | None = None  # what the visitor expects, of the lesson's choices …
    lesson_mark: LessonMark | None = None  # … as a period, marked on the spectrum …
    lesson_sketch: Gate | None = None  # … or as a gate
    theme: Theme = "auto"

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.days and len(self.days) != len(self.history):
            raise ValueError("days must hold one date or null for each item of the history, or nothing")
        return self

    def replace(self, **changes: object) -> Self:
        """A checked copy with some fields changed; raises InputError when a value is not allowed."""
        return checked(type(self), {**self.model_dump(), **changes})


class Session(BaseModel):
    """A state with its past and its undone future, newest last, each as a link."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    undo: Links = ()
    redo: Links = ()
