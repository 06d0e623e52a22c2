"""`python -m m2rec benchmark load`"""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import this_command

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.benchmark.page.load import Load


def load(
    visitors: Annotated[int, typer.Option(min=1, max=1000, help="Visitors on the page at the same time.")] = 300,
    minutes: Annotated[float, typer.Option(min=0.05, max=60, help="How long they stay.")] = 5,
    pace: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds between two clicks of one visitor.")] = 2,
    rush: Annotated[int, typer.Option(min=0, max=20, help="Then this many times the visitors for half a minute.")] = 3,
    one_by_one: Annotated[
        int, typer.Option(min=0, max=100_000, help="Then this many visitors one after another.")
    ] = 1000,
    url: Annotated[
        str | None, typer.Option(help="A page that already runs on this machine; without it, one is started.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short trial: 4 visitors for 10 s, 4 times as many, 20 in turn.")
    ] = False,
    json_file: Json = None,
) -> None:
    """Measure the page under load: errors, waiting times and memory, then the same in a rush, and how soon it recovers.

    The visitors are HTTP clients on this machine. Each has its own history, and answers about another visitor's history
    are counted.
    """
    import torch

    from m2rec.benchmark.page.host import running_host, started_host
    from m2rec.benchmark.page.load import Plan, measure
    from m2rec.training.machine import device_name, git_revision

    plan = Plan(visitors, 60 * minutes, pace, min(30, 60 * minutes), rush, one_by_one=one_by_one)
    if quick:
        plan = replace(
            plan, visitors=4, seconds=10, pace=min(pace, 1), warm_up=3, rush=4, rush_seconds=3, one_by_one=20
        )
    with nullcontext(running_host(url)) if url else started_host() as host:
        found = measure(host, plan, say)
    about = {
        "hardware": device_name(torch.device("cpu")),
        "date": datetime.now(UTC).date().isoformat(),
        "command": this_command(),
        "revision": git_revision(),
    }
    show(found.as_dict() | about, json_file, _table(found))


def _table(found: "Load") -> "Table":
    shown = table(
        "The page under load, server and visitors on one machine",
        "phase",
        "visitors",
        "answers",
        "busy",
        "errors",
        "wrong sessions",
        "median ms",
        "95 % below, ms",
        "MiB at the start",
        "at the end",
    )
    for name, phase in found.phases.items():
        times = [("–" if time is None else f"{time:.0f}") for time in (phase.p50_ms, phase.p95_ms)]
        sizes = [f"{phase.memory.first_mib:.0f}", f"{phase.memory.last_mib:.0f}"] if phase.memory else ["–", "–"]
        counts = (phase.visitors, phase.answers, phase.busy, phase.errors, phase.wrong_sessions)
        shown.add_row(name, *(f"{count:,}" for count in counts), *times, *sizes)
    if found.rush:
        after = "not within a minute" if found.recovery_s is None else f"{found.recovery_s:.1f} s after the rush"
        shown.caption = f"Prompt answers again: {after}."
    return shown
