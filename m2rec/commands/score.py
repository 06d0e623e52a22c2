"""`python -m m2rec score WORLD --histories FILE --out FOLDER`"""

import errno
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint
from m2rec.data.tables.columns import parse_columns
from m2rec.errors import DataError, InputError


def score(
    world: Annotated[str, typer.Argument(help="A world's name or a checkpoint folder.")],
    histories: Annotated[
        Path,
        typer.Option(
            help="Parquet with one row per event (user, item, and timestamp or position) or per user (user, and items "
            "as a list). Smaller tables in other formats are read too."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the answers; a killed run resumes in it.")],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=COLUMN,…",
            help="Roles of columns with unusual names: user=CustomerID,item=StockCode,timestamp=InvoiceDate; numbers "
            "from 1 without a header. Roles: user, item (also a column of lists), timestamp, position.",
        ),
    ] = None,
    dates: Annotated[
        Literal["dayfirst", "monthfirst"] | None,
        typer.Option(help="How to read 03/04/2025 if the column leaves it open."),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, max=50, help="How many items for each user.")] = 10,
    exclude_seen: Annotated[
        bool, typer.Option("--exclude-seen", help="Leave out items of the user's history.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Run on Ray Data, on the cluster at ADDRESS or, without one, on this machine.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes or Ray workers; by default one per processor.")
    ] = None,
    json_file: Json = None,
) -> None:
    """Recommend to every user of a table: k items with probability, contributions and gate weights, as Parquet.

    Memory does not grow with the table. A killed run resumes with the missing parts. A folder with the parts of another
    run, or one that a run is writing into, is refused.
    """
    from m2rec.scoring.run import Run
    from m2rec.scoring.run import score as score_here

    if not histories.is_file():
        raise DataError(f"There is no file {histories}; give --histories a table, if possible as Parquet.")
    chosen = parse_columns(columns or [], "interactions")
    place = find_checkpoint(world).resolve()
    run = Run(place, histories.resolve(), out.resolve(), k, exclude_seen, columns=chosen, dates=dates)
    try:
        if ray is None:
            scored = score_here(run, workers)
        else:
            from m2rec.scoring.ray_run import score_on_ray

            scored = score_on_ray(run, ray, workers)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "free some space and run the command again" if full else "give --out a folder that can be written"
        raise InputError(f"{out} cannot be written ({error.strerror or error}); {advice}.") from error
    if scored.unknown:
        say(f"{scored.unknown:,} items of histories are not in {world} and were left out.")
    if scored.parts_before:
        say(f"{scored.parts_before} of {scored.parts} parts were finished before.")
    summary = {"world": world, "out": str(out), **asdict(scored)}
    summary["users_per_second"] = round(scored.users / scored.seconds, 1)
    summary["seconds"] = round(scored.seconds, 2)
    shown = table(f"Scored {world}", "what", "value")
    for name, value in summary.items():
        shown.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int | float) else str(value))
    show(summary, json_file, shown)
