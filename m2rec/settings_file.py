"""Settings in TOML files: those of the package by name, your own by path."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from m2rec.errors import DataError

Settings = TypeVar("Settings", bound=BaseModel)


def shipped_names(folder: Path) -> list[str]:
    """Names of the settings files in a folder of the package, without ".toml", in alphabetical order."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def settings_path(name_or_path: str | Path, shipped: Path, what: str, others: Sequence[str] = ()) -> Path:
    """The file of a name in the folder `shipped`, or the path itself where it ends in ".toml".

    `what` is what the file describes, and `others` are more names that could be meant, in errors. Raises DataError for
    an unknown name.
    """
    path, known = Path(name_or_path), shipped_names(shipped)
    if path.suffix == ".toml":
        return path
    if str(name_or_path) not in known:
        known += others
        close = difflib.get_close_matches(str(name_or_path), known, n=1)
        meant = f"did you mean {close[0]}?" if close else "give one of these or the path of a .toml file."
        raise DataError(f"There is no {what} {str(name_or_path)!r} (known: {', '.join(known)}); {meant}")
    return shipped / f"{name_or_path}.toml"


def read_settings(path: Path, model: type[Settings], what: str) -> Settings:
    """The settings in a TOML file; its field `name` is the file's own name, whatever the file says.

    Raises DataError for a file that cannot be read or is not TOML, and for a setting that is unknown or out of range.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return model.model_validate(content | {"name": path.stem})
    except OSError as error:
        raise DataError(f"The {what} {path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"The {what} {path} is not a valid TOML file ({error}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its entries"
        raise DataError(f"The {what} {path} has a mistake at {where}: {first['msg']}.") from error
