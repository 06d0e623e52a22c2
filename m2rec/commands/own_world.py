"""Settings of a world that is made from tables on the command line: checked, saved, and found again by its name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from m2rec.atomic import atomic_file
from m2rec.commands.places import own_settings
from m2rec.data.settings import DataSettings
from m2rec.errors import DataError, InputError
from m2rec.worlds.settings import WorldSettings, known_worlds

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
DESCRIPTION = "Made from tables on this machine"


def own_world(name: str, given: Mapping[str, Any]) -> WorldSettings:
    """Settings from the options. Raises InputError without a table, and for a name that cannot be one's own."""
    if "interactions" not in given:
        raise InputError("A world of your own needs --interactions; a shipped world takes no options for tables.")
    if not NAME.fullmatch(name) or name in known_worlds():
        raise InputError(
            f"{name!r} cannot name a world of your own: use small letters, digits, dots, dashes, and no shipped name."
        )
    return WorldSettings(name=name, description=DESCRIPTION, data=DataSettings(source="tables", **given))


def save_own_world(settings: WorldSettings, given: Mapping[str, Any], variants: Mapping[str, str], why: str) -> None:
    """Save the settings of a world of your own, so that later commands find it by its name.

    `given` are the options of its tables, with absolute paths, `variants` those of the model, and `why` says why they
    fit. Raises DataError when they cannot be saved.
    """
    data = "".join(f"{name} = {_toml(value)}\n" for name, value in {"source": "tables", **given}.items())
    model = "".join(f"{name} = {_toml(value)}\n" for name, value in variants.items())
    path = own_settings(settings.name)
    try:
        with atomic_file(path) as temporary:
            text = f'description = "{DESCRIPTION}"\n\n[data]\n{data}\n# {why}\n[model]\n{model}'
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"The settings could not be saved to {path} ({error}); free some space and prepare again."
        ) from error


def _toml(value: Any) -> str:
    """A value in TOML. Strings and numbers are written as in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
