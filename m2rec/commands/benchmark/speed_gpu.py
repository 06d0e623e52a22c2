"""`python -m m2rec benchmark speed --gpu`"""

import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from m2rec.commands.output import STANDARD_OUTPUT, say, show, table, write_json
from m2rec.commands.places import this_command
from m2rec.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from rich.table import Table

    from m2rec.benchmark.speed.gpu import GpuSpeed
    from m2rec.benchmark.speed.training import TrainingSpeed


def speed_on_gpu(json_file: str | None) -> None:
    """Measure the GPU and show the figures; they are also written to `json_file` after every step."""
    device = gpu()
    import torch

    from m2rec.benchmark.speed import gpu as benchmark
    from m2rec.benchmark.speed.shapes import film_shape
    from m2rec.training.machine import device_name, git_revision

    shape = film_shape()
    about = {
        "hardware": device_name(device),
        "processor": device_name(torch.device("cpu")),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "catalogue": shape.items,
        "batch": benchmark.ON_GPU.batch,
        "weights": "random",
        "date": datetime.now(UTC).date().isoformat(),
        "command": this_command(),
        "revision": git_revision(),
    }

    def payload(found: "GpuSpeed", finished: bool) -> dict[str, Any]:
        return found.as_dict() | about | {"finished": finished}

    def save(found: "GpuSpeed") -> None:
        if json_file and json_file != STANDARD_OUTPUT:
            write_json(payload(found, False), json_file)

    found = benchmark.measure_gpu(shape, device, benchmark.ON_GPU, report=lambda what: say(f"{what} …"), save=save)
    show(payload(found, True), json_file, *_tables(found))


def gpu() -> "torch.device":
    """The GPU. Raises InputError if PyTorch finds none."""
    import torch

    if not torch.cuda.is_available():
        raise InputError(
            "PyTorch finds no GPU on this machine; `python -m m2rec benchmark speed` without --gpu measures the CPU."
        )
    return torch.device("cuda")


def training_table(measured: "Sequence[TrainingSpeed]") -> "Table":
    """Training steps of all models."""
    shown = table(
        "Training: a million targets, about an epoch of MovieLens-1M",
        "model",
        "where",
        "windows",
        "ms per step",
        "s",
        text=2,
    )
    for one in measured:
        where = f"cpu, {one.threads} threads" if one.device == "cpu" else one.device
        windows = f"{one.batch} × {one.length}"
        shown.add_row(one.model, where, windows, f"{one.step_ms:.1f}", f"{one.seconds_per_million:,.1f}")
    return shown


def _tables(found: "GpuSpeed") -> "list[Table]":
    times = table(
        "On the GPU: the ten best of the whole catalogue",
        "at once",
        "items",
        "model",
        "median ms",
        "95 % below, ms",
        "answers/s",
        "MiB",
        text=3,
    )
    memory = {(peak.model, peak.batch, peak.length): peak.mib for peak in found.peaks}
    for row in found.rows:
        mib = memory.get((row.model, row.batch, row.length))
        figures = [f"{row.median_ms:.3f}", f"{row.p95_ms:.3f}", f"{row.answers_per_second:,.0f}"]
        times.add_row(f"{row.batch:,}", f"{row.length:,}", row.model, *figures, "–" if mib is None else f"{mib:,.1f}")
    goals = table("Many at once", "items", "M2Rec's answers/s ÷ SASRec's", "goal", "met", text=0)
    for goal in found.as_dict()["goals"]:
        met = "yes" if goal["met"] else "no"
        goals.add_row(f"{goal['length']:,}", f"{goal['ratio']:.2f}", f"{goal['goal']:.1f}", met)
    tables = [times, goals, *([training_table(found.training)] if found.training else [])]
    if found.left_out:
        left = table("Left out", "what", "model", "at once", "items", "why", text=5)
        for one in found.left_out:
            left.add_row(one.what, one.model, f"{one.batch:,}", f"{one.length:,}", one.why)
        tables.append(left)
    return tables
