"""Find the world or checkpoint that is named on the command line."""

import shlex
import sys
from collections.abc import Collection
from pathlib import Path

from m2rec import paths
from m2rec.checkpoint_folder import FILES, nearest_folder
from m2rec.data.cache import cache_dir
from m2rec.errors import CheckpointError
from m2rec.world_names import MARKET
from m2rec.worlds.settings import WorldSettings, known_worlds, load_world


def own_settings(name: str) -> Path:
    """The settings file of a world that was made from tables on the command line."""
    return cache_dir() / "worlds" / f"{name}.toml"


def own_worlds() -> list[str]:
    """Names of the worlds that were made from tables, in alphabetical order."""
    return sorted(path.stem for path in own_settings("*").parent.glob("*.toml"))


def find_world(name: str) -> WorldSettings:
    """A shipped world, one made from tables, or one of a TOML file. Raises DataError if it is none of these."""
    if name not in known_worlds() and own_settings(name).is_file():
        return load_world(own_settings(name))
    return load_world(name, own_worlds())


def checkpoints() -> list[Path]:
    """The checkpoint folders in the clone or working folder, the default world first."""
    found = [path.parent for path in paths.checkpoints().glob("*/config.json")]
    return sorted(found, key=lambda path: (path.name != MARKET, path.name))


def find_checkpoint(name: str | None) -> Path:
    """The checkpoint folder for a path or a world's name; for None the first one. Raises CheckpointError if there is
    none.
    """
    there = checkpoints()
    if name is None:
        if not there:
            raise CheckpointError(
                f"There is no checkpoint in {paths.checkpoints()}; give the path of one, or train one: "
                f"`python -m m2rec prepare {MARKET}`, then `python -m m2rec train {MARKET}`."
            )
        return there[0]
    for path in (Path(name), paths.checkpoints() / name):
        if path.is_dir():
            return path
    if name in (*known_worlds(), *own_worlds()):
        raise CheckpointError(
            f"The world {name} has no checkpoint in {paths.checkpoints()}; train one: "
            f"`python -m m2rec prepare {name}`, then `python -m m2rec train {name}`."
        )
    known = ", ".join(path.name for path in there)
    others = f"one of these worlds: {known}" if known else f"a world: {paths.checkpoints()} holds none"
    meant = nearest_folder(Path(name)) or nearest_folder(paths.checkpoints() / name)
    hint = f"; did you mean {meant}?" if meant else "."
    raise CheckpointError(f"There is no checkpoint {name!r}; give a folder or {others}{hint}")


def folder_of_worlds(given: Path | None) -> Path:
    """The folder with a checkpoint folder for each world. Raises CheckpointError that names it if it has none."""
    folder = given or paths.checkpoints()
    if not any(path.is_file() for name in FILES for path in folder.glob(f"*/{name}")):
        raise CheckpointError(f"{folder} holds no checkpoint folders; give the folder that has them, or train a world.")
    return folder


def this_command(*, leave_out: Collection[str] = ()) -> str:
    """The command line of this process, for records that others read: they have none of this machine's folders.

    `leave_out` names options without a value that do not belong in the record.
    """
    arguments = [argument for argument in sys.argv[1:] if argument not in leave_out]
    return shlex.join(["python", "-m", "m2rec", *map(_without_folders, arguments)])


def _without_folders(argument: str) -> str:
    """An argument as it is, but for an absolute path: from the cache or the current folder on, or else its name."""
    option, equals, value = argument.rpartition("=")
    path = Path(value)
    if not path.is_absolute():
        return argument
    for folder in (cache_dir().absolute(), Path.cwd()):
        if path.is_relative_to(folder):
            return f"{option}{equals}{path.relative_to(folder).as_posix()}"
    return f"{option}{equals}{path.name or value}"


def in_cache(path: Path) -> Path:
    """A path as it is where something is there, or else from the cache on."""
    return path if path.exists() else cache_dir() / path
