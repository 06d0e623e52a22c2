"""The learning curve, HR@10 by number of training customers, as a table and as a picture.

The figures are those of the plan `rhythm-market-curve`, whose table `benchmark train` writes.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from m2rec.atomic import atomic_file
from m2rec.errors import DataError

PLAN = "rhythm-market-curve"
PICTURE = "market-curve.svg"  # in assets
METRIC = "HR@10"
COLOURS = {"m2rec": "#0072B2", "sasrec": "#8C8C8C"}
OTHER_COLOUR = "#222222"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 56, 96, 20, 48  # pixels


@dataclass(frozen=True)
class Point:
    """One run: HR@10 with its 95 % interval over test customers."""

    model: str  # its kind
    customers: int
    value: float
    low: float
    high: float
    histories: int  # read in training, counting repetitions


def curve(benchmarks: Path) -> list[str]:
    """Markdown lines; none if no run of the plan is recorded. Raises DataError when the file is damaged."""
    points = read_points(benchmarks)
    if not points:
        return []
    models = list(dict.fromkeys(point.model for point in points))
    at = {(point.model, point.customers): point for point in points}
    sizes = sorted({point.customers for point in points})
    about = (
        f"{METRIC} on the same test customers, items of the history left in, with 95 % intervals and, in brackets, the "
        "number of histories read in training. Runs that read equally many take equally many steps: where they agree, "
        "more customers do not help in so few steps, and a model that learns slowly is behind. Settings: "
        f"`m2rec/benchmark/accuracy/plans/{PLAN}.toml`; command: "
        f"`python -m m2rec benchmark train {PLAN}`."
    )
    lines = [
        "### Accuracy by number of training customers",
        "",
        about,
        "",
        f"![{METRIC} by number of training customers]({benchmarks.parent.name}/{PICTURE})",
        "",
        f"| customers | {' | '.join(models)} |",
        f"| --- |{' --- |' * len(models)}",
    ]
    for size in sizes:
        cells = [_cell(at.get((model, size))) for model in models]
        lines.append(f"| {size:,} | {' | '.join(cells)} |")
    return [*lines, ""]


def read_points(benchmarks: Path) -> list[Point]:
    """The recorded runs, by model and number of customers. Raises DataError when the file is damaged."""
    path = benchmarks / f"{PLAN}.json"
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        return sorted((_point(row) for row in rows), key=lambda point: (point.model, point.customers))
    except (OSError, ValueError, TypeError, KeyError) as error:
        command = f"python -m m2rec benchmark train {PLAN}"
        raise DataError(f"{path} is not a readable benchmark table; make it again with `{command}`.") from error


def write_picture(benchmarks: Path) -> Path | None:
    """Draw the curve into a file in the folder above `benchmarks`. → its path, or None if nothing is recorded."""
    points = read_points(benchmarks)
    if not points:
        return None
    path = benchmarks.parent / PICTURE
    with atomic_file(path) as temporary:
        temporary.write_text(draw(points), encoding="utf-8", newline="\n")
    return path


def draw(points: Sequence[Point]) -> str:
    """An SVG with customers on a logarithmic scale, HR@10 from 0 to 1, and a line with intervals for each model."""
    sizes = sorted({point.customers for point in points})
    models = list(dict.fromkeys(point.model for point in points))
    parts = [_text(LEFT - 8, _y(tick) + 4, f"{tick:.1f}", "end") for tick in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    parts += [
        f'<path d="M{LEFT} {_y(tick):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>' for tick in (0, 0.2, 0.4, 0.6, 0.8, 1)
    ]
    parts += [_text(_x(size, sizes), HEIGHT - BOTTOM + 18, f"{size:,}", "middle") for size in sizes]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "training customers", "middle"))
    for model in models:
        mine = [point for point in points if point.model == model]
        colour = COLOURS.get(model, OTHER_COLOUR)
        places = [(_x(point.customers, sizes), _y(point.value)) for point in mine]
        dash = "" if model == "m2rec" else ' stroke-dasharray="5 4"'  # colour is not the only difference
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        for point, (x, y) in zip(mine, places, strict=True):
            parts.append(f'<path d="M{x:.1f} {_y(point.low):.1f}V{_y(point.high):.1f}" stroke="{colour}"/>')
            parts.append(f'<circle class="{escape(model)}" cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        parts.append(_text(places[-1][0] + 10, places[-1][1] + 4, model, "start"))
    about = f"{METRIC} by number of training customers: {', '.join(models)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{escape(about)}">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _point(row: Mapping[str, Any]) -> Point:
    low, high = row["unmasked_interval"][METRIC]
    customers = int(row["train_users"])
    value = float(row["unmasked"][METRIC])
    return Point(
        str(row["kind"]), customers, value, float(low), float(high), customers * int(row["training"]["epochs"])
    )


def _cell(point: Point | None) -> str:
    if point is None:
        return "–"
    return f"{point.value:.4f} ({point.low:.3f}–{point.high:.3f}) [{point.histories:,}]"


def _x(customers: int, sizes: Sequence[int]) -> float:
    first, last = math.log(sizes[0]), math.log(sizes[-1])
    share = 0.5 if first == last else (math.log(customers) - first) / (last - first)
    return LEFT + 24 + share * (WIDTH - LEFT - RIGHT - 48)


def _y(value: float) -> float:
    return TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222222">{escape(text)}</text>'
