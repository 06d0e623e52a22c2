"""Lessons as data: `lessons.toml` holds them, this file reads and checks them once."""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from m2rec.errors import InputError
from m2rec.ui.session.requests import Action
from m2rec.ui.session.state import MOST_CHOICES

LAST_STEP = 2  # 0 the situation and the question, 1 the visitor has acted, 2 the answer is shown


class Check(BaseModel):
    """Where a measure should lie for the lesson's answer to hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: str
    at_least: float = float("-inf")
    at_most: float = float("inf")

    def holds(self, value: float) -> bool:
        """Whether the measured value lies where the lesson says."""
        return self.at_least <= value <= self.at_most


class Choice(BaseModel):
    """What a visitor may expect, and where the measure lies if that is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    check: Check


class Lesson(BaseModel):
    """One lesson.

    `world` is named where it needs a certain one, `stand_in` where its preset may be missing; `do` is what its button
    does for the visitor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    world: str | None = None
    preset: str
    stand_in: str | None = None  # another preset, where a world has not the first
    situation: str
    stand_in_situation: str = ""
    question: str
    choices: Annotated[tuple[Choice, ...], Field(min_length=2, max_length=MOST_CHOICES)]
    about: Literal["cards", "gate", "spectrum"]  # the panel that should be in sight
    act: str
    do: Action
    check: Check
    answer: str
    otherwise: str


@lru_cache(maxsize=1)
def lessons() -> tuple[Lesson, ...]:
    """All lessons in order."""
    read = tomllib.loads((files("m2rec.ui.lessons") / "lessons.toml").read_text(encoding="utf-8"))
    return tuple(Lesson.model_validate(entry) for entry in read["lesson"])


def lesson(lesson_id: str) -> Lesson:
    """The lesson of that id; InputError names those there are."""
    for one in lessons():
        if one.id == lesson_id:
            return one
    raise InputError(f"There is no lesson “{lesson_id[:60]}”; there are {', '.join(one.id for one in lessons())}.")
