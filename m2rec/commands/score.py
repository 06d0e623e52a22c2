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
            help="Parquet with one row an event (user, item, and timestamp or position) or one row a user (user, and "
            "items, a list). Smaller tables of other kinds are read too."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the answers, in parts; a killed run resumes there.")],
    k: Annotated[int, typer.Option("-k", "--k", min=1, max=50, help="How many items for each user.")] = 10,
    exclude_seen: Annotated[
        bool, typer.Option("--exclude-seen", help="Leave out what is already in the user's history.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="[ADDRESS]",
            help="Run on Ray Data: on the cluster at ADDRESS, or without one on this machine's processors.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many processes, or workers of Ray, answer at once; one a processor.")
    ] = None,
    json_file: Json = None,
) -> None:
    """Answer for every user of a table: k items, their probabilities, contributions and gate weights, as Parquet.

    Memory does not grow with the table. A killed run resumes with the missing parts; a folder that holds another run is
    refused.
    """
    from m2rec.scoring.run import Run
    from m2rec.scoring.run import score as score_here

    if not histories.is_file():
        raise DataError(f"There is no file {histories}; give --histories a table, best as Parquet.")
    run = Run(find_checkpoint(world).resolve(), histories.resolve(), out.resolve(), k, exclude_seen)
    try:
        if ray is None:
            scored = score_here(run, workers)
        else:
            from m2rec.scoring.ray_run import score_on_ray

            scored = score_on_ray(run, ray, workers)
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error}); free some space and give the command again.") from error
    if scored.unknown:
        say(f"{scored.unknown:,} entries of histories are not in {world}; they were left out.")
    if scored.parts_before:
        say(f"{scored.parts_before} of {scored.parts} parts were there already.")
    summary = {"world": world, "out": str(out), **asdict(scored)}
    summary["users_per_second"] = round(scored.users / scored.seconds, 1)
    summary["seconds"] = round(scored.seconds, 2)
    shown = table(f"Scored {world}", "what", "value")
    for name, value in summary.items():
        shown.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int | float) else str(value))
    show(summary, json_file, shown)
