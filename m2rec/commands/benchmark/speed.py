"""`python -m m2rec benchmark speed`"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import this_command

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.speed.measure import Speed
    from m2rec.benchmark.speed.training import TrainingSpeed


def speed(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Fewer repeats, one CPU thread, no batches, no training, Mamba4Rec of one layer."),
    ] = False,
    json_file: Json = None,
) -> None:
    """Time M2Rec beside SASRec and Mamba4Rec: an answer by history length, throughput, memory, training.

    The models take turns on the same random histories, with random weights (time does not depend on them), over a
    catalogue as large as MovieLens-1M's. On a GPU too, where there is one.
    """
    import torch

    from m2rec.benchmark.speed.measure import QUICK, THOROUGH, measure
    from m2rec.training.machine import device_name, git_revision

    workload = QUICK if quick else THOROUGH
    measured = measure(workload, report=lambda what: say(f"{what} …"))
    devices = [torch.device("cpu")] + [torch.device("cuda")] * torch.cuda.is_available()
    about = {
        "hardware": [device_name(device) for device in devices],
        "threads": list(workload.threads),
        "torch": torch.__version__,
        "catalogue": workload.catalogue,
        "weights": "random",
        "date": datetime.now(UTC).date().isoformat(),
        "command": this_command(),
        "revision": git_revision(),
    }
    show(measured.as_dict() | about, json_file, *_tables(measured))


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
    ratios = table(
        "SASRec's time ÷ M2Rec's, CPU time on one thread",
        "history",
        "from scratch",
        "added item",
        "added, both cached",
    )
    scratch = measured.ratios()
    anew = measured.ratios("added item", other="sasrec, read anew")
    cached = measured.ratios("added item")
    for length, ratio in scratch.items():
        ratios.add_row(length, f"{ratio:.2f}", _number(anew.get(length)), _number(cached.get(length)))
    return [times, needs, ratios, *([_training(measured.training)] if measured.training else [])]


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
