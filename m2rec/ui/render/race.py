"""The race on the page as a figure, a table and a sentence."""

from typing import Any

from m2rec.benchmark.speed.race import LENGTHS, Lap
from m2rec.ui.figures.race import race_figure
from m2rec.ui.render.templating import render

NAMES = {"m2rec": "M2Rec", "sasrec": "SASRec", "mamba4rec": "Mamba4Rec"}
RIVALS = ("sasrec", "mamba4rec")
GROWTH_OVER = 4  # times the length, over which growth is reported


def shown(laps: list[Lap], running: bool) -> dict[str, Any]:
    """The race so far, as {figure, html, running}."""
    rows = [{"length": lap.length, "cells": [_milliseconds(lap.milliseconds[name]) for name in NAMES]} for lap in laps]
    html = render(
        "sections/race_laps.html.j2",
        names=list(NAMES.values()),
        rows=rows,
        words=words(laps, running),
        done=len(laps) / len(LENGTHS),
        running=running,
    )
    return {"figure": race_figure(laps, NAMES), "html": html, "running": running}


def words(laps: list[Lap], running: bool) -> str:
    """The race in plain words: its progress, or its result."""
    if running:
        following = LENGTHS[len(laps)] if len(laps) < len(LENGTHS) else None
        return f"Answering histories of {following:,} items …" if following else "Finishing …"
    if not laps:
        return "No lap was finished in the time there is."
    last = laps[-1]
    ours = last.milliseconds["m2rec"]
    others = [f"{NAMES[name]} {_milliseconds(last.milliseconds[name])} ms ({_times(last, name)})" for name in RIVALS]
    text = f"One answer to {last.length:,} items took M2Rec {_milliseconds(ours)} ms, {' and '.join(others)}."
    earlier = next((lap for lap in laps if lap.length * GROWTH_OVER == last.length), None)
    if earlier:
        grew = [f"{NAMES[name]} ×{last.milliseconds[name] / earlier.milliseconds[name]:.1f}" for name in NAMES]
        text += (
            f" From {earlier.length:,} to {last.length:,} items the time grew: {', '.join(grew)};"
            f" linear growth would be ×{GROWTH_OVER}, quadratic ×{GROWTH_OVER**2}."
        )
    text += f" Measured on {last.hardware}."
    if last.length < LENGTHS[-1]:
        text += f" The time was up before {LENGTHS[-1]:,} items."
    return text


def _times(lap: Lap, name: str) -> str:
    ratio = lap.milliseconds[name] / lap.milliseconds["m2rec"]
    return f"×{ratio:.1f}" if ratio >= 1 else f"×{ratio:.2f}"


def _milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
