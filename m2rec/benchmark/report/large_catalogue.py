"""The table of `benchmark speed --items`."""

from typing import Any

from m2rec.benchmark.report.markdown import line
from m2rec.benchmark.report.times import Row


def large_catalogue(found: dict[str, Any]) -> list[str]:
    """A row for each world's network over one large catalogue."""
    worlds: dict[str, Row] = found["worlds"]
    one = next(iter(worlds.values()))
    about = (
        f"The ten best of {found['catalogue']:,} items with their contributions, exact, after {one['length']} items "
        f"read from the start, on one CPU thread. Vectors are random, with {one['width']} numbers an item. "
        f"{', '.join(found['hardware'])}, torch {found['torch']}, {found['date']}, by `{found['command']}`."
    )
    heads = [
        "network of",
        "reading the history, ms",
        "whole answer, median ms",
        "95 % below, ms",
        "MiB held",
        "MiB per answer",
    ]
    table = [line(heads), line("---" for _ in heads)]
    for name, row in worlds.items():
        times = [f"{row[figure]:.1f}" for figure in ("read_ms", "median_ms", "p95_ms")]
        table.append(line([name, *times, f"{row['engine_mib']:,.0f}", f"{row['answer_mib']:.1f}"]))
    return ["### A large catalogue", "", about, "", *table, ""]
