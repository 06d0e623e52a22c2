"""`python -m m2rec benchmark serve`"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import checkpoints, find_checkpoint
from m2rec.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.speed.recommender import ServingTimes

LENGTH = 200


def serve(
    world: Annotated[
        str | None,
        typer.Argument(help="A world's name or a checkpoint folder; all checkpoints by default."),
    ] = None,
    length: Annotated[int, typer.Option(min=1, max=10_000, help="Items in the history.")] = LENGTH,
    repeats: Annotated[int, typer.Option(min=5, max=10_000, help="Timed answers of each kind.")] = 100,
    json_file: Json = None,
) -> None:
    """Time the answers of `recommend()` on one CPU thread with random histories: median and 95th percentile."""
    from m2rec.benchmark.speed.recommender import time_serving
    from m2rec.recommend.recommender import Recommender

    folders = checkpoints() if world is None else []
    timed = []
    for folder in folders or [find_checkpoint(world)]:
        recommender = Recommender.from_pretrained(folder)
        if length > recommender.max_history:
            raise InputError(
                f"{recommender.name} reads at most {recommender.max_history} items; give a smaller --length."
            )
        say(f"{recommender.name} …")
        timed.append(time_serving(recommender, length, repeats))
    show({"worlds": {one.world: asdict(one) for one in timed}}, json_file, *map(serving_table, timed))


def serving_table(timed: "ServingTimes") -> "Table":
    """A table of one world's times."""
    title = f"Answers of {timed.world}, {timed.length} items, 1 CPU thread"
    shown = table(title, "what", "median ms", "95 % below, ms")
    for row in timed.rows:
        shown.add_row(row.what, f"{row.median_ms:.2f}", f"{row.p95_ms:.2f}")
    return shown
