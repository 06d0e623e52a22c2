"""`python -m m2rec benchmark ui`"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import this_command


def ui(
    rounds: Annotated[int, typer.Option(min=1, max=100, help="How often each control is used.")] = 10,
    json_file: Json = None,
) -> None:
    """Time the page in headless Chromium: server start, first paint, clicks, typing, dragging; and measure its size."""
    import torch

    from m2rec.benchmark.page.latency import measure_page
    from m2rec.training.machine import device_name, git_revision

    results = measure_page(rounds, report=lambda what: say(f"{what} …"))
    shown = table("Latency of the page", "what", "measured", "goal", "")
    for one in results:
        digits = 0 if one.unit == "ms" else 2
        goal = f"{'≥' if one.at_least else '≤'} {one.goal:g} {one.unit}"
        shown.add_row(one.what, f"{one.value:.{digits}f} {one.unit}", goal, "✓" if one.met else "missed")
    about = {
        "hardware": device_name(torch.device("cpu")),
        "date": datetime.now(UTC).date().isoformat(),
        "command": this_command(),
        "revision": git_revision(),
    }
    show({"latency": [asdict(one) | {"met": one.met} for one in results]} | about, json_file, shown)
