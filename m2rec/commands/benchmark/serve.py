"""`python -m m2rec benchmark serve`"""

from dataclasses import asdict
from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table
from m2rec.commands.places import find_checkpoint
from m2rec.errors import InputError


def serve(
    world: Annotated[
        str | None,
        typer.Argument(help="A world's name or a checkpoint folder; the first checkpoint there is, if not said."),
    ] = None,
    length: Annotated[int, typer.Option(min=1, max=10_000, help="Items in the history.")] = 200,
    repeats: Annotated[int, typer.Option(min=5, max=10_000, help="Answers that are timed, of each kind.")] = 100,
    json_file: Json = None,
) -> None:
    """Time one answer as the page gives it: one CPU thread, a random history, median and 95th percentile."""
    from m2rec.benchmark.speed.recommender import time_serving
    from m2rec.recommend.recommender import Recommender

    recommender = Recommender.from_pretrained(find_checkpoint(world))
    if length > recommender.max_history:
        raise InputError(f"{recommender.name} reads at most {recommender.max_history} items; give a smaller --length.")
    timed = time_serving(recommender, length, repeats)
    shown = table(
        f"One answer of {recommender.name}, {length} items, 1 CPU thread", "what", "median ms", "95 % below, ms"
    )
    for row in timed.rows:
        shown.add_row(row.what, f"{row.median_ms:.2f}", f"{row.p95_ms:.2f}")
    show(asdict(timed), json_file, shown)
