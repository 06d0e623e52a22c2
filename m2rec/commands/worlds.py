"""`python -m m2rec worlds`"""

import json
from typing import Any

from m2rec import paths
from m2rec.commands.output import Json, show, table
from m2rec.commands.places import find_world, own_worlds
from m2rec.data.cache import prepared_folder
from m2rec.errors import DataError
from m2rec.worlds.settings import known_worlds

COLUMNS = ("name", "description", "source", "split", "prepared", "trained_on")


def worlds(json_file: Json = None) -> None:
    """List the worlds, whether their data are prepared on this machine, and on what device each was trained."""
    rows = [_describe(name) for name in [*known_worlds(), *own_worlds()]]
    shown = table("Worlds", "world", "what it is", "prepared", "checkpoint trained on", text=4)
    for row in rows:
        shown.add_row(row["name"], row["description"], "yes" if row["prepared"] else "no", row["trained_on"] or "none")
    show(rows, json_file, shown)


def _describe(name: str) -> dict[str, Any]:
    try:
        settings = find_world(name)
    except DataError as error:  # settings of the user's own; list the other worlds anyway
        return dict.fromkeys(COLUMNS) | {"name": name, "description": str(error), "prepared": False}
    config = paths.checkpoints() / name / "config.json"
    try:
        trained_on = json.loads(config.read_bytes())["trained_on"]
    except FileNotFoundError:
        trained_on = None
    except (OSError, ValueError, KeyError, TypeError):
        trained_on = "unreadable"
    return {
        "name": name,
        "description": settings.description,
        "source": settings.data.source,
        "split": settings.data.split,
        "prepared": (prepared_folder(name) / "prepared.json").is_file(),
        "trained_on": trained_on,
    }
