"""`python -m m2rec benchmark speed`"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2rec import paths
from m2rec.commands.benchmark.serve import serving_table
from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import checkpoints, this_command

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.speed.measure import Speed, Workload
    from m2rec.benchmark.speed.shapes import Shape
    from m2rec.benchmark.speed.training import TrainingSpeed

HISTORY = 200  # items, where recommend() is timed
ANSWERS, QUICK_ANSWERS = 100, 10  # timed of each kind


def speed(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Fewer repeats, one CPU thread, no batches, no training, Mamba4Rec of one layer."),
    ] = False,
    items: Annotated[
        int | None,
        typer.Option(
            min=1000,
            max=10_000_000,
            help="Time answers over a made-up catalogue of so many items instead, and its memory.",
        ),
    ] = None,
    json_file: Json = None,
) -> None:
    """Time M2Rec beside SASRec and Mamba4Rec: an answer by history length, throughput, memory, training.

    The models take turns on the same random histories, with random weights (time does not depend on them), in the shape
    and with the catalogue of every shipped world; MovieLens-1M's is measured in full. Then `recommend()` of every
    checkpoint, as the page calls it. On a GPU too, where there is one.
    """
    import torch

    from m2rec.benchmark.speed.measure import QUICK, THOROUGH
    from m2rec.benchmark.speed.shapes import shipped_shapes
    from m2rec.training.machine import device_name, git_revision

    workload = QUICK if quick else THOROUGH
    shapes = shipped_shapes(paths.checkpoints())
    devices = [torch.device("cpu")] + [torch.device("cuda")] * (torch.cuda.is_available() and items is None)
    about = {
        "hardware": [device_name(device) for device in devices],
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
        _say_step(f"{folder.name}: recommend() as the page calls it")
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
        _say_step(f"{shape.world}'s shape, {items:,} items")
        found.append(large_catalogue_times(shape, items, answers))
    shown = table(
        f"The ten best of {items:,} items and their shares, {found[0].length} items of history, 1 CPU thread",
        "shape of",
        "reading, ms",
        "median ms",
        "95 % below, ms",
        "CPU ms",
        "MiB held",
        "MiB an answer",
    )
    for one in found:
        times = [f"{value:.1f}" for value in (one.read_ms, one.median_ms, one.p95_ms, one.cpu_ms)]
        shown.add_row(one.world, *times, f"{one.engine_mib:,.0f}", f"{one.answer_mib:.1f}")
    payload = {"worlds": {one.world: asdict(one) for one in found}}
    show(payload | about | {"catalogue": items, "threads": [1]}, json_file, shown)


def _say_step(what: str) -> None:
    say(f"{what} …")


def _tables(measured: "Speed") -> "list[Table]":
    """Times, then how they grow and what they need."""
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
        where = f"{row.device}, {row.threads} threads" if row.device == "cpu" else row.device
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
        peaks = {p.length: p.mib for p in measured.peaks if p.model == name and p.device == "cpu"}
        needs.add_row(name, f"{exponent:.2f}", *(f"{peaks[length]:.1f}" for length in lengths))
    return [times, needs, *([_training(measured.training)] if measured.training else [])]


def _ratios(world: str, measured: "Speed") -> "Table":
    shown = table(
        f"SASRec's time ÷ M2Rec's, CPU time on one thread: {world}",
        "history",
        "from scratch",
        "one more item",
        "one more, both cached",
    )
    anew = measured.ratios("added item", other="sasrec, read anew")
    cached = measured.ratios("added item")
    for length, ratio in measured.ratios().items():
        shown.add_row(length, f"{ratio:.2f}", _number(anew.get(length)), _number(cached.get(length)))
    return shown


def _training(measured: "list[TrainingSpeed]") -> "Table":
    shown = table(
        "Training: a million targets, about an epoch of MovieLens-1M",
        "model",
        "where",
        "windows",
        "ms a step",
        "s",
        text=2,
    )
    for one in measured:
        where = f"cpu, {one.threads} threads" if one.device == "cpu" else one.device
        shown.add_row(
            one.model,
            where,
            f"{one.batch} × {one.length}",
            f"{one.step_ms:.1f}",
            f"{one.seconds_per_million:,.0f}",
        )
    return shown


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
