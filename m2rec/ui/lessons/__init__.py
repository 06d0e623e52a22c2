"""Lessons as data: read from `lessons.toml` and checked once."""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from m2rec.errors import InputError
from m2rec.ui.session.requests import Action
from m2rec.ui.session.state import MOST_CHOICES

LAST_STEP = 2  # 0: situation and question; 1: the visitor has acted; 2: the answer is shown


class Check(BaseModel):
    """The range in which a measure must lie for an answer to be right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str
    at_least: float = float("-inf")
    at_most: float = float("inf")

    def holds(self, value: float) -> bool:
        """Whether the measured value is in the range."""
        return self.at_least <= value <= self.at_most


class Choice(BaseModel):
    """One of the answers to choose from, and the check that holds if it is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    check: Check


class Guess(BaseModel):
    """A question answered on a panel: the check that holds if the visitor is right, and a text for either case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: Check
    right: str
    wrong: str


class Lesson(BaseModel):
    """One lesson.

    It asks in one of three ways: with `choices`, a marker on the spectrum (`mark`) or a sketch of the gate (`sketch`).
    `world` is None if the lesson works in every world. `do` is the action of the lesson's button.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    aim: str  # what a class should understand afterwards
    world: str | None = None
    preset: str
    situation: str
    question: str
    choices: Annotated[tuple[Choice, ...], Field(min_length=2, max_length=MOST_CHOICES)] | None = None
    mark: Guess | None = None
    sketch: Guess | None = None
    about: Literal["cards", "gate", "spectrum"]  # the panel that must be visible
    act: str
    do: Action
    check: Check
    answer: str
    otherwise: str

    @model_validator(mode="after")
    def _asks_once(self) -> Self:
        if sum(way is not None for way in (self.choices, self.mark, self.sketch)) != 1:
            raise ValueError(f"the lesson {self.id} must have choices, a mark or a sketch, and one of them only")
        return self


@lru_cache(maxsize=1)
def lessons() -> tuple[Lesson, ...]:
    """All lessons, in order."""
    read = tomllib.loads((files("m2rec.ui.lessons") / "lessons.toml").read_text(encoding="utf-8"))
    return tuple(Lesson.model_validate(entry) for entry in read["lesson"])


def lesson(lesson_id: str) -> Lesson:
    """The lesson with this id. Raises InputError, with the known ids, if there is none."""
    for one in lessons():
        if one.id == lesson_id:
            return one
    raise InputError(f"There is no lesson “{lesson_id[:60]}”; there are {', '.join(one.id for one in lessons())}.")
