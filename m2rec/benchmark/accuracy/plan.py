"""A plan: which models are trained on a world, and with which seeds. One TOML file.

Settings come from the world, the plan, the model's entry and one point of its grid; later ones win. All models share
the world's and the plan's settings, and therefore the training budget.
"""

import itertools
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from m2rec.settings_file import read_settings, settings_path, shipped_names

SHIPPED = Path(__file__).parent / "plans"
NAME = r"^[a-z0-9][a-z0-9._-]*$"  # names are also used for files

Treatment = Literal["none", "order-shuffled", "text-permuted", "text-removed"]
Positive = Annotated[int, Field(gt=0)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Frozen):
    """One row of the table: a model with its settings, or an ablation of one."""

    name: Annotated[str, Field(pattern=NAME)]
    kind: str  # "m2rec" or a baseline's name
    settings: dict[str, Any] = {}
    training: dict[str, Any] = {}
    treatment: Treatment = "none"  # the ablation of the data
    ablates: str = ""  # what was removed, in words
    remark: str = ""  # what readers of its figures must know, in words: "trained before …"
    train_users: Positive | None = None  # train on this many users; None for all
    starts_from: str = ""  # a mamba2 entry of the plan, whose finished run with the same seed gives the initial weights
    grid: dict[str, list[Any]] = {}  # such as "settings.dropout" = [0.1, 0.2]; every combination becomes an entry

    @model_validator(mode="after")
    def _grid_names_settings(self) -> "Entry":
        for key in self.grid:
            if key.partition(".")[0] not in ("settings", "training") or not key.partition(".")[2]:
                raise ValueError(f"a grid may vary settings.… or training.…, not {key!r}")
        return self

    def points(self) -> list["Entry"]:
        """The entry itself, or one entry for each combination of its grid, with the values in its name."""
        made = []
        for values in itertools.product(*self.grid.values()):
            chosen: dict[str, dict[str, Any]] = {"settings": dict(self.settings), "training": dict(self.training)}
            name = self.name
            for key, value in zip(self.grid, values, strict=True):
                where, _, setting = key.partition(".")
                chosen[where][setting] = value
                name += f"--{setting.replace('_', '-')}-{value}".lower()
            made.append(Entry.model_validate(self.model_dump() | chosen | {"name": name, "grid": {}}))
        return made


class Plan(_Frozen):
    """All runs on one world."""

    name: Annotated[str, Field(pattern=NAME)]  # the file's name without ".toml"
    world: str
    seeds: Seeds
    test: bool = True  # false in plans that choose settings: these are evaluated on validation only
    reference: str = "m2rec"  # the entry that the others are compared with
    held_out_users: Positive | None = None  # evaluate on this many users each for validation and test; None for all
    settings: dict[str, Any] = {}  # for every model that has such a setting
    training: dict[str, Any] = {}
    model: Annotated[tuple[Entry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> "Plan":
        names = [entry.name for entry in self.entries]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two models are called {twice[0]!r}")
        return self

    @property
    def entries(self) -> list[Entry]:
        """All entries, with grids expanded."""
        return [point for entry in self.model for point in entry.points()]


def known_plans() -> list[str]:
    """Names of the plans that come with the package, in alphabetical order."""
    return shipped_names(SHIPPED)


def load_plan(name_or_path: str | Path) -> Plan:
    """Read a shipped plan by its name, or a TOML file by its path. Raises DataError when it is not a valid plan."""
    return read_settings(settings_path(name_or_path, SHIPPED, "plan"), Plan, "plan")
