"""`python -m m2rec score WORLD --histories FILE --out FOLDER`"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint
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
    run is refused.
    """
    from m2rec.scoring.run import Run
    from m2rec.scoring.run import score as score_here

    if not histories.is_file():
        raise DataError(f"There is no file {histories}; give --histories a table, if possible as Parquet.")
    run = Run(find_checkpoint(world).resolve(), histories.resolve(), out.resolve(), k, exclude_seen)
    try:
        if ray is None:
            scored = score_here(run, workers)
        else:
            from m2rec.scoring.ray_run import score_on_ray

            scored = score_on_ray(run, ray, workers)
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error}); free some space and run the command again.") from error
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
