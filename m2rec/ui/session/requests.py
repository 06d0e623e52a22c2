"""The typed requests of the page; `dispatch.py` carries them out."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from m2rec.branches import BRANCHES, BranchName
from m2rec.recommend.options import LONGEST_NAME, MOST_ITEMS, Flag, GateWeights, K, Options
from m2rec.recommend.validation import must
from m2rec.ui.session.state import (
    HISTORY_LIMIT,
    Comparison,
    Days,
    Fold,
    ItemId,
    ItemIds,
    LessonChoice,
    LessonMark,
    Name,
    Session,
    Theme,
)

Position = Annotated[
    int, Field(ge=0, le=HISTORY_LIMIT), must(f"be a place in the history, a whole number from 0 to {HISTORY_LIMIT}")
]
Period = Annotated[float, Field(gt=0, allow_inf_nan=False), must("be a period in interactions, a number above 0")]
Weight = Annotated[float, Field(ge=0, le=1), must("be a weight from 0 to 1")]
Every = Annotated[int, Field(ge=2, le=HISTORY_LIMIT), must(f"be a whole number from 2 to {HISTORY_LIMIT}")]
Query = Annotated[str, Field(max_length=LONGEST_NAME), must(f"be a text of at most {LONGEST_NAME} characters")]
Text = Annotated[str, must("be a text")]  # how long a list may be, `paste.py` says
Entry = Annotated[str, must("be a title or an item id, as text")]
Entries = Annotated[list[Entry], must("be a list of titles or item ids, oldest first")]
Compared = Annotated[Comparison | Literal[""], must(f"be {', '.join(BRANCHES)}, shuffled, popularity or empty")]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Simple(_Action):
    """An action without arguments."""

    type: Literal["undo", "redo", "shuffle", "clear", "release", "show"]


class Add(_Action):
    """Add an item, at the end or at a position."""

    type: Literal["add"]
    item_id: ItemId
    at: Position | None = None


class Remove(_Action):
    """Remove the item at a position."""

    type: Literal["remove"]
    at: Position


class Move(_Action):
    """Move an item within the history."""

    type: Literal["move"]
    at: Position
    to: Position


class Repeat(_Action):
    """Put an item at every n-th position."""

    type: Literal["repeat"]
    item_id: ItemId
    every: Every


class Replace(_Action):
    """Take a whole list as the history, or add it to the end."""

    type: Literal["replace"]
    item_ids: ItemIds
    days: Days = ()
    append: Flag = False


class Keep(_Action):
    """Keep only the newest interactions."""

    type: Literal["keep"]
    newest: Position


class Choose(_Action):
    """Choose a world or a preset."""

    type: Literal["world", "preset"]
    value: Name


class Override(_Action):
    """Set one gate weight by hand; `current` are the three weights on the screen."""

    type: Literal["override"]
    branch: BranchName
    weight: Weight
    current: GateWeights


class Mute(_Action):
    """Mute a band of periods."""

    type: Literal["mute"]
    low: Period
    high: Period


class Unmute(_Action):
    """Hear a muted band again."""

    type: Literal["unmute"]
    index: Position


class Look(_Action):
    """Look at one period, or at none."""

    type: Literal["look"]
    period: Period | None


class FoldInto(_Action):
    """Fold the history into rows of a length, or lay it out as one again."""

    type: Literal["fold"]
    every: Fold | None


class OpenLesson(_Action):
    """Open a lesson, or leave the one that is open."""

    type: Literal["lesson"]
    lesson: Name | None


class AdvanceLesson(_Action):
    """Do what the lesson proposes, or show its answer."""

    type: Literal["lesson_do", "lesson_show"]


class ChooseAnswer(_Action):
    """Say what one expects of the lesson's question."""

    type: Literal["lesson_choose"]
    choice: LessonChoice


class MarkPeriod(_Action):
    """Mark on the spectrum where one expects it to be highest; nothing takes the marker away."""

    type: Literal["lesson_mark"]
    period: LessonMark | None


class SketchGate(_Action):
    """Sketch the gate as one expects it."""

    type: Literal["lesson_sketch"]
    gate: GateWeights


class Setting(_Action):
    """How many items, whether seen ones, what to compare with, which theme."""

    type: Literal["set"]
    k: K | None = None
    exclude_seen: Flag | None = None
    compare: Compared | None = None
    theme: Theme | None = None


Action = Annotated[
    Simple
    | Add
    | Remove
    | Move
    | Repeat
    | Replace
    | Keep
    | Choose
    | Override
    | Mute
    | Unmute
    | Look
    | FoldInto
    | OpenLesson
    | AdvanceLesson
    | ChooseAnswer
    | MarkPeriod
    | SketchGate
    | Setting,
    Field(discriminator="type"),
]


class Request(BaseModel):
    """A session, what to do to it, and the ranking the visitor sees now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Session
    action: Action
    before: Annotated[ItemIds, Field(max_length=MOST_ITEMS), must(f"be a list of at most {MOST_ITEMS} item ids")] = ()


class Ask(BaseModel):
    """A request that changes nothing: a dialog, the matches of a pasted list, or a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Session
    what: Annotated[
        Literal[
            "details",
            "computed",
            "days",
            "gate_table",
            "spectrum_table",
            "repeat",
            "paste",
            "match",
            "section",
            "json",
            "csv",
            "python",
        ],
        must(
            "be details, computed, days, gate_table, spectrum_table, repeat, paste, match, section, json, csv or python"
        ),
    ]
    text: Text = ""  # an item id, a pasted list or the name of a section
    day: Position | None = None  # after so many items of the history; all of them by default


class Search(BaseModel):
    """A search by title; an empty query gives the most popular items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: Name
    query: Query = ""


class Raced(BaseModel):
    """The world in whose shape a race is run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: Name


class Question(Options):
    """The arguments of `/recommend`: a world, a history and options."""

    world: Name
    history: Entries
