"""`python -m m2rec prepare WORLD`"""

import json
import re
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from m2rec.atomic import atomic_file
from m2rec.commands.output import Json, show, table
from m2rec.commands.places import find_world, own_settings
from m2rec.data.cache import prepared_folder
from m2rec.data.settings import DataSettings
from m2rec.errors import DataError, InputError
from m2rec.worlds.settings import WorldSettings, known_worlds

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
DESCRIPTION = "Made from tables on this machine"


def prepare(
    world: Annotated[str, typer.Argument(help="A world's name, a settings file (.toml), or a new name with tables.")],
    interactions: Annotated[
        Path | None,
        typer.Option(
            help="Your own table, .csv or .parquet: user, item, and timestamp or position; rating if you like."
        ),
    ] = None,
    items: Annotated[
        Path | None, typer.Option(help="Your items, .csv or .parquet: item, title; text and group if you like.")
    ] = None,
    split: Annotated[
        Literal["leave-one-out", "by-user", "global-temporal"] | None,
        typer.Option(help="How your own tables are divided; leave-one-out unless said otherwise."),
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(min=0, help="Keep users and items with at least this many of your interactions; 5 unless said."),
    ] = None,
    json_file: Json = None,
) -> None:
    """Read, filter, split and encode a data set, once, into the cache, where `train` and `evaluate` find it.

    A world of your own is made from two tables and afterwards known by its name:
    `python -m m2rec prepare my-shop --interactions log.csv --items products.csv`.
    """
    options = {"interactions": interactions, "items": items, "split": split, "min_count": min_count}
    given = {name: value for name, value in options.items() if value is not None}
    settings = _own_world(world, given) if given else find_world(world)

    from m2rec.worlds.prepare import prepare_world

    began = time.monotonic()
    prepared = prepare_world(settings)
    folder = prepared_folder(settings.name)
    prepared.save(folder)
    if given:
        _keep(settings, given)
    summary = {
        "world": settings.name,
        "folder": str(folder),
        "fingerprint": prepared.fingerprint,
        "users": len(prepared.user_ids),
        "items": prepared.item_count,
        "cold_items": prepared.item_count - prepared.warm_items,
        "events": len(prepared.sequences.events),
        "training_events": int(prepared.split.train_end.sum()),
        "validation_targets": len(prepared.split.targets("validation")[0]),
        "test_targets": len(prepared.split.targets("test")[0]),
        "seconds": round(time.monotonic() - began, 2),
    }
    shown = table(f"Prepared {settings.name}", "what", "value")
    for name, value in summary.items():
        shown.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    show(summary, json_file, shown)


def _own_world(name: str, given: dict[str, Any]) -> WorldSettings:
    """Settings from options, with the paths made absolute, so that the world can be found from any folder."""
    if "interactions" not in given or "items" not in given:
        raise InputError("A world of your own needs both --interactions and --items; a known one has its own settings.")
    if not NAME.fullmatch(name) or name in known_worlds():
        raise InputError(
            f"{name!r} cannot name a world of your own: use small letters, digits, dots, dashes, no shipped name."
        )
    for table_name in ("interactions", "items"):
        given[table_name] = given[table_name].resolve()
    return WorldSettings(name=name, description=DESCRIPTION, data=DataSettings(source="tables", **given))


def _keep(settings: WorldSettings, given: dict[str, Any]) -> None:
    """Write what was chosen as a settings file, so that the name is enough from now on."""
    chosen = {"source": "tables"} | {
        key: str(value) if isinstance(value, Path) else value for key, value in given.items()
    }
    # a JSON string or number is a TOML one too
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in chosen.items()]
    path = own_settings(settings.name)
    try:
        with atomic_file(path) as temporary:
            text = "\n".join([f'description = "{DESCRIPTION}"', "", "[data]", *lines, ""])
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"The settings could not be saved to {path} ({error}); free some space and prepare again."
        ) from error
