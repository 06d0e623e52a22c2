"""`python -m m2rec prepare WORLD`"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.own_world import own_world, save_own_world
from m2rec.commands.places import find_world
from m2rec.data.cache import prepared_folder
from m2rec.data.tables.columns import parse_columns
from m2rec.errors import InputError
from m2rec.model.config import ModelSettings

if TYPE_CHECKING:
    from m2rec.data.description import Description
    from m2rec.data.prepared import Prepared


def prepare(
    world: Annotated[str, typer.Argument(help="A world's name, a settings file (.toml), or a new name with tables.")],
    interactions: Annotated[
        Path | None,
        typer.Option(
            help="Your own table of who chose what and when: CSV, TSV, “::”, JSON lines, Parquet or RecBole .inter, "
            "also packed. The usual names of columns are recognised."
        ),
    ] = None,
    items: Annotated[
        Path | None,
        typer.Option(help="Your items: id and title, text and group if you have them. Without it ids are titles."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=COLUMN,…",
            help="Roles of columns with unusual names: user=CustomerID,item=StockCode,"
            "timestamp=InvoiceDate; numbers from 1 without a header. Roles: user, item, timestamp, position, rating, "
            "and title without --items.",
        ),
    ] = None,
    item_columns: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=COLUMN,…", help="The same for the items: item, title, text, group."),
    ] = None,
    dates: Annotated[
        Literal["dayfirst", "monthfirst"] | None,
        typer.Option(help="How to read 03/04/2025 if the column leaves it open."),
    ] = None,
    split: Annotated[
        Literal["leave-one-out", "by-user", "global-temporal"] | None,
        typer.Option(help="How to split your own tables; leave-one-out by default."),
    ] = None,
    min_count: Annotated[
        int | None,
        typer.Option(min=0, help="Keep users and items with at least this many interactions; 5 by default."),
    ] = None,
    json_file: Json = None,
) -> None:
    """Read, filter, split and encode a data set into the cache, from which `train` and `evaluate` read it.

    To make a world of your own, give it a name, a table of interactions and, if you have one, a table of items:
    `python -m m2rec prepare my-shop --interactions log.csv --items products.csv`. The summary lists the role of each
    column, what was dropped and why, and the variants of the model that fit the data.
    """
    options: dict[str, Any] = {
        "interactions": interactions and interactions.resolve(),  # to find the world from any folder
        "items": items and items.resolve(),
        "columns": parse_columns(columns or [], "interactions") or None,
        "item_columns": parse_columns(item_columns or [], "items") or None,
        "dates": dates,
        "split": split,
        "min_count": min_count,
    }
    if item_columns and items is None:
        raise InputError("--item-columns names columns of the items' table; give that table with --items.")
    given = {name: value for name, value in options.items() if value is not None}
    settings = own_world(world, given) if given else find_world(world)

    from m2rec.data.description import describe, variants_for
    from m2rec.data.repeats import repeat_share
    from m2rec.data.sources.registry import load_dataset
    from m2rec.worlds.prepare import prepare_world

    began = time.monotonic()
    dataset = load_dataset(settings.data, settings.name)
    description = describe(dataset)
    notes = [*dataset.notes, *description.notes]
    for note in notes:
        say(note)  # before the checks, because a note may explain a refusal
    prepared = prepare_world(settings, dataset=dataset)
    folder = prepared_folder(settings.name)
    prepared.save(folder)
    if given:
        with_titles = settings.data.items is not None or "title" in settings.data.columns
        variants, why = variants_for(repeat_share(prepared), with_titles)
        settings = settings.model_copy(update={"model": ModelSettings.model_validate(variants)})
        save_own_world(settings, given, variants, why)
        notes.append(why)
        say(why)
    summary = _summary(prepared, description) | {
        "folder": str(folder),
        "seconds": round(time.monotonic() - began, 2),
        "model": settings.model.model_dump(include={"frequency", "semantic"}),
        "notes": notes,
    }
    shown = table(f"Prepared {settings.name}", "what", "value")
    for name, value in summary.items():
        if name not in ("notes", "model"):
            shown.add_row(name.replace("_", " "), _cell(name, value))
    show(summary, json_file, shown)


def _summary(prepared: "Prepared", description: "Description") -> dict[str, Any]:
    return {
        "world": prepared.name,
        "fingerprint": prepared.fingerprint,
        "users": len(prepared.user_ids),
        "items": prepared.item_count,
        "cold_items": prepared.item_count - prepared.warm_items,
        "events": len(prepared.sequences.events),
        "repeats": description.repeats,
        "tied_times": description.tied_times,
        "training_events": int(prepared.split.train_end.sum()),
        "validation_targets": len(prepared.split.targets("validation")[0]),
        "test_targets": len(prepared.split.targets("test")[0]),
    }


def _cell(name: str, value: Any) -> str:
    if name in ("repeats", "tied_times"):
        return "no times" if value is None else f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)
