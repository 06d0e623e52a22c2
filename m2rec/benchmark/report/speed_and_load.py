"""What was measured of speed, of the page in a browser and of the page under load, as Markdown."""

import json
from pathlib import Path

from m2rec.benchmark.report.large_catalogue import large_catalogue
from m2rec.benchmark.report.page import load, page
from m2rec.benchmark.report.speed import speed
from m2rec.benchmark.report.speed_on_gpu import speed_on_gpu
from m2rec.errors import DataError

SPEED, SPEED_ON_GPU, MILLION = "speed.json", "speed-gpu.json", "speed-million.json"
PAGE, LOAD = "ui.json", "load.json"
SECTIONS = {SPEED: speed, SPEED_ON_GPU: speed_on_gpu, MILLION: large_catalogue, PAGE: page, LOAD: load}
COMMANDS = {
    SPEED: "speed",
    SPEED_ON_GPU: "speed --gpu",
    MILLION: "speed --items 1000000",
    PAGE: "ui",
    LOAD: "load",
}


def speed_and_load(benchmarks: Path) -> list[str]:
    """Markdown lines; none if nothing is recorded. Raises DataError when a file is damaged."""
    lines = []
    for name, show in SECTIONS.items():
        path = benchmarks / name
        if not path.is_file():
            continue
        try:
            lines += show(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError) as error:
            command = f"python -m m2rec benchmark {COMMANDS[name]} --json {path}"
            raise DataError(f"{path} is not a readable measurement; make it again with `{command}`.") from error
    return lines
