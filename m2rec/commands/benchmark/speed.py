"""`python -m m2rec benchmark speed`"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2rec import paths
from m2rec.commands.benchmark.serve import serving_table
from m2rec.commands.benchmark.speed_gpu import speed_on_gpu, training_table
from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import checkpoints, this_command

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.speed.measure import Speed
    from m2rec.benchmark.speed.shapes import Shape
    from m2rec.benchmark.speed.turns import Workload

HISTORY = 200  # items of the histories for recommend()
ANSWERS, QUICK_ANSWERS = 100, 10  # timed answers of each kind


def speed(
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Fewer repeats, one CPU thread, no batches, no training, only one layer of Mamba4Rec."
        ),
    ] = False,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Instead, measure on the GPU alone, for MovieLens-1M, in about a minute.")
    ] = False,
    items: Annotated[
        int | None,
        typer.Option(
            min=1000,
            max=10_000_000,
            help="Instead, time answers over a random catalogue of this many items, and measure memory.",
        ),
    ] = None,
    json_file: Json = None,
) -> None:
    """Compare the speed of M2Rec, SASRec and Mamba4Rec: answers by history length, throughput, memory, training.

    The models take turns on the same random histories, with random weights (which do not affect the time). Networks and
    catalogues have the sizes of the shipped worlds; everything is measured for MovieLens-1M's, only latency for the
    others. Then `recommend()` is timed for every checkpoint. `--gpu` measures a GPU instead, and writes its figures
    after every step.
    """
    if gpu and (quick or items):
        raise typer.BadParameter("--gpu has one workload: give it without --quick and --items")
    if gpu:
        speed_on_gpu(json_file)
        return

    import torch

    from m2rec.benchmark.speed.measure import QUICK, THOROUGH
    from m2rec.benchmark.speed.shapes import shipped_shapes
    from m2rec.training.machine import device_name, git_revision

    workload = QUICK if quick else THOROUGH
    shapes = shipped_shapes(paths.checkpoints())
    about = {
        "hardware": [device_name(torch.device("cpu"))],
        "threads": list(workload.threads),
        "torch": torch.__version__,
        "catalogue": shapes[0].items,
        "weights": "random",
        "date": datetime.now(UTC).date().isoformat(),
        "command": this_command(),
        "revision": git_revision(),
    }
    if items is None:
        _worlds(shapes, workload, about, json_file)
    else:
        _large_catalogue(shapes, items, QUICK_ANSWERS if quick else ANSWERS, about, json_file)


def _worlds(shapes: "list[Shape]", workload: "Workload", about: dict[str, Any], json_file: str | None) -> None:
    from m2rec.benchmark.speed.measure import THOROUGH, measure, without_extras
    from m2rec.benchmark.speed.recommender import time_serving
    from m2rec.recommend.recommender import Recommender

    measured = {
        shape.world: measure(shape, workload if shape is shapes[0] else without_extras(workload), report=_say_step)
        for shape in shapes
    }
    served = {}
    for folder in checkpoints():
        _say_step(f"{folder.name}: recommend()")
        recommender = Recommender.from_pretrained(folder)
        repeats = ANSWERS if workload == THOROUGH else QUICK_ANSWERS
        served[folder.name] = time_serving(recommender, min(HISTORY, recommender.max_history), repeats)
    worlds: dict[str, dict[str, Any]] = {}
    for shape in shapes:
        figures = measured[shape.world].as_dict()
        names = ("ratio_to_sasrec", "ratio_of_one_more", "ratio_of_one_more_cached", "growth", "rows")
        worlds[shape.world] = {"items": shape.items, **{name: figures[name] for name in names}}
        if shape.world in served:
            worlds[shape.world]["recommend"] = asdict(served[shape.world])
    films = measured[shapes[0].world]
    tables = [*_tables(films), *(_ratios(world, found) for world, found in measured.items())]
    show(films.as_dict() | {"worlds": worlds} | about, json_file, *tables, *map(serving_table, served.values()))


def _large_catalogue(
    shapes: "list[Shape]", items: int, answers: int, about: dict[str, Any], json_file: str | None
) -> None:
    from m2rec.benchmark.speed.large_catalogue import large_catalogue_times

    found = []
    for shape in shapes:
        _say_step(f"{shape.world}'s network, {items:,} items")
        found.append(large_catalogue_times(shape, items, answers))
    shown = table(
        f"The ten best of {items:,} items with contributions, history of {found[0].length} items, 1 CPU thread",
        "network of",
        "reading, ms",
        "median ms",
        "95 % below, ms",
        "CPU ms",
        "MiB held",
        "MiB per answer",
    )
    for one in found:
        times = [f"{value:.1f}" for value in (one.read_ms, one.median_ms, one.p95_ms, one.cpu_ms)]
        shown.add_row(one.world, *times, f"{one.engine_mib:,.0f}", f"{one.answer_mib:.1f}")
    payload = {"worlds": {one.world: asdict(one) for one in found}}
    show(payload | about | {"catalogue": items, "threads": [1]}, json_file, shown)


def _say_step(what: str) -> None:
    say(f"{what} …")


def _tables(measured: "Speed") -> "list[Table]":
    """A table of times, one of growth and memory, and one of training if it was timed."""
    times = table(
        "One answer: the ten best of the whole catalogue",
        "what",
        "where",
        "items",
        "model",
        "median ms",
        "95 % below, ms",
        "CPU ms",
        "answers/s",
        text=4,
    )
    previous: tuple[object, ...] = ()
    for row in measured.rows:
        where = f"{row.device}, {row.threads} threads"
        head = (row.what if row.batch == 1 else f"{row.batch} at once", where, row.length)
        if previous and head != previous:
            times.add_section()
        shown = [str(part) for part in head] if head != previous else [""] * len(head)
        times.add_row(
            *shown,
            row.model,
            f"{row.median_ms:.3f}",
            f"{row.p95_ms:.3f}",
            _number(row.cpu_ms, 3),
            f"{row.answers_per_second:,.0f}",
        )
        previous = head
    growth = measured.growth()
    lengths = sorted({peak.length for peak in measured.peaks})
    needs = table("Growth with the history, and memory", "model", "b of a·L^b", *(f"MiB at {n}" for n in lengths))
    for name, exponent in growth.items():
        peaks = {p.length: p.mib for p in measured.peaks if p.model == name}
        needs.add_row(name, f"{exponent:.2f}", *(f"{peaks[length]:.1f}" for length in lengths))
    return [times, needs, *([training_table(measured.training)] if measured.training else [])]


def _ratios(world: str, measured: "Speed") -> "Table":
    from m2rec.benchmark.speed.turns import WITHOUT_CACHE

    shown = table(
        f"SASRec's time ÷ M2Rec's, CPU time on one thread: {world}",
        "history",
        "from scratch",
        "one more item",
        "one more, both cached",
    )
    without_cache = measured.ratios("added item", other=WITHOUT_CACHE)
    cached = measured.ratios("added item")
    for length, ratio in measured.ratios().items():
        shown.add_row(length, f"{ratio:.2f}", _number(without_cache.get(length)), _number(cached.get(length)))
    return shown


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
