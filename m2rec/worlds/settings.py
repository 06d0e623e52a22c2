"""A world's settings: one frozen TOML file with [data], [model] and [training]."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from m2rec.data.settings import DataSettings
from m2rec.errors import DataError
from m2rec.model.config import ModelSettings
from m2rec.settings_file import read_settings, settings_path, shipped_names
from m2rec.training.settings import TrainingSettings
from m2rec.worlds.name import plain_name

SHIPPED = Path(__file__).parent
WORD = re.compile(r"(?!(?:true|false|inf|nan)$)[a-z][a-z0-9_-]*")  # a string without its quotes


class WorldSettings(BaseModel):
    """A data set, the model that reads it and the run that trains it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[
        str, AfterValidator(plain_name)
    ]  # the file's own, without ".toml"; this key in the file has no effect
    description: str = ""  # one line for the list of worlds
    data: DataSettings
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()


def known_worlds() -> list[str]:
    """Names of the worlds that come with the package, in alphabetical order."""
    return shipped_names(SHIPPED)


def load_world(name_or_path: str | Path, others: Sequence[str] = ()) -> WorldSettings:
    """Read a shipped world by its name, or a TOML file of one's own by its path. An error also names `others`.

    The files of `source = "tables"` are looked for beside the TOML file. Raises DataError for an unknown name, a file
    that is not TOML, or a setting that is unknown or out of range.
    """
    path = settings_path(name_or_path, SHIPPED, "world", others)
    world = read_settings(path, WorldSettings, "world")
    if world.data.interactions:
        files = {"interactions": world.data.interactions, "items": world.data.items}
        beside = {name: path.parent / file for name, file in files.items() if file}
        world = world.model_copy(update={"data": world.data.model_copy(update=beside)})
    return world


def changed(world: WorldSettings, changes: list[str]) -> WorldSettings:
    """The same world with some settings changed, each as "table.key=value" with a TOML value or a single word.

    >>> changed(load_world("ml-1m"), ["model.dropout=0.1", "model.semantic=means"]).model.dropout
    0.1

    Tables are `model` and `training`: the data are as they were prepared. Raises DataError for a change that is not of
    this form, or that the settings do not admit.
    """
    content = world.model_dump()
    for change in changes:
        name, _, value = change.partition("=")
        table, _, key = name.strip().partition(".")
        if table == "data":
            raise DataError(
                f"{name.strip()} is a choice of `prepare`: change the settings file, then prepare and train."
            )
        try:
            word = f'"{value}"' if WORD.fullmatch(value) else value  # shells take quotes away
            content[table][key] = tomllib.loads(f"value = {word}")["value"]
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise DataError(f"{change!r} is not a change of settings; write one like model.dropout=0.1.") from error
    try:
        return WorldSettings.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"The changed settings do not fit at {where}: {first['msg']}.") from error
