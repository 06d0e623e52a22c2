"""Tables of speed, of the page in a browser and of the page under load, from `benchmark speed`, `ui` and `load`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from m2rec.errors import DataError

SPEED, SPEED_ON_GPU, PAGE, LOAD = "speed.json", "speed-gpu.json", "ui.json", "load.json"
COMMANDS = {SPEED: "speed", SPEED_ON_GPU: "speed --gpu", PAGE: "ui", LOAD: "load"}
LEFT_OUT = {"answer": "one answer", "batch": "many answers at once", "training": "training"}
PHASES = {"steady": "steady visitors", "rush": "a rush", "in_turn": "one after another"}

Row = dict[str, Any]


def speed_and_load(benchmarks: Path) -> list[str]:
    """Markdown lines; none if nothing is recorded. Raises DataError when a file is damaged."""
    lines = []
    for name, show in ((SPEED, _speed), (SPEED_ON_GPU, _speed_on_gpu), (PAGE, _page), (LOAD, _load)):
        path = benchmarks / name
        if not path.is_file():
            continue
        try:
            lines += show(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError) as error:
            command = f"python -m m2rec benchmark {COMMANDS[name]} --json {path}"
            raise DataError(f"{path} is not a readable measurement; make it again with `{command}`.") from error
    return lines


def _speed(found: dict[str, Any]) -> list[str]:
    on_cpu: list[Row] = [row for row in found["rows"] if row["device"] == "cpu"]
    one_thread = [row for row in on_cpu if row["threads"] == 1]
    scratch, added = _times(one_thread, "answer"), _times(one_thread, "added item")
    many = _times(on_cpu, "batch")
    models = list(dict.fromkeys(row["model"] for row in on_cpu))
    lengths, live, crowded = (sorted({length for _, length in times}) for times in (scratch, added, many))
    size = max((row["batch"] for row in on_cpu), default=0)
    heads = [
        "model",
        *(f"{length:,} items" for length in lengths),
        "b of a·L^b",
        *(f"one more after {length:,}" for length in live),
        *(f"{size} at once, {length:,} items" for length in crowded),
    ]
    table = [_line(heads), _line("---" for _ in heads)]
    for model in models:
        slope = found["growth"].get(model)
        cells = [
            *(_cell(scratch, model, length, "cpu_ms", ".2f") for length in lengths),
            "–" if slope is None else f"{slope:.2f}",
            *(_cell(added, model, length, "cpu_ms", ".2f") for length in live),
            *(_cell(many, model, length, "answers_per_second", ",.0f") for length in crowded),
        ]
        table.append(_line([model, *cells]))
    where = f"{', '.join(found['hardware'])}, torch {found['torch']}, {found['date']}, by `{found['command']}`"
    about = (
        f"The ten best of {found['catalogue']:,} items: CPU milliseconds on one thread for an answer from scratch and "
        f"for one more item on a cached state, and answers per second in batches on {max(found['threads'])} threads. "
        f"Weights are random; the models take turns. {where}."
    )
    compared = (
        f"SASRec's time ÷ M2Rec's: {_ratios(found['ratio_to_sasrec'])} for an answer from scratch; for one more "
        f"item {_ratios(found['ratio_of_one_more'])} when SASRec reads the history again, as it must once its window "
        f"is full, and {_ratios(found['ratio_of_one_more_cached'])} while it can use its cache."
    )
    return ["### Speed", "", about, "", *table, "", compared, "", *_worlds(found["worlds"])]


def _speed_on_gpu(found: dict[str, Any]) -> list[str]:
    """A row for each model, SASRec's time ÷ M2Rec's, and whether the goals are met."""
    rows: list[Row] = found["rows"]
    one, many = _times(rows, "answer"), _times(rows, "batch")
    held = {(peak["model"], peak["length"]): peak for peak in found["peaks"] if peak["batch"] > 1}
    training = {each["model"]: each for each in found["training"]}
    lengths, crowded = (sorted({length for _, length in times}) for times in (one, many))
    size = found["batch"]
    heads = [
        "model",
        *(f"one answer, {length:,} items, ms" for length in lengths),
        *(f"answers/s, {size:,} at once, {length:,} items" for length in crowded),
        *(f"MiB, {size:,} at once, {length:,} items" for length in crowded),
        "training step, ms",
        "s per million targets",
    ]
    table = [_line(heads), _line("---" for _ in heads)]
    for model in dict.fromkeys([*(row["model"] for row in rows), *training]):
        steps = training.get(model, {})
        table.append(
            _line(
                [
                    model,
                    *(_cell(one, model, length, "median_ms", ".2f") for length in lengths),
                    *(_of_batch(many, model, length, "answers_per_second", size) for length in crowded),
                    *(_of_batch(held, model, length, "mib", size) for length in crowded),
                    f"{steps['step_ms']:.1f}" if steps else "–",
                    f"{steps['seconds_per_million']:.1f}" if steps else "–",
                ]
            )
        )
    where = f"{found['hardware']}, {found['processor']}, torch {found['torch']}, {found['date']}"
    about = (
        f"The ten best of {found['catalogue']:,} items on a GPU, from scratch, with random weights in float32; the "
        f"models take turns, and times are medians. Memory is the peak of an answer without weights and item tables. "
        f"Training steps are timed one operation at a time; `train` records them as CUDA graphs, which are faster. "
        f"{where}, by `{found['command']}`{'' if found['finished'] else ', which was stopped before its end'}."
    )
    goals = [
        f"{goal['ratio']:.2f} after {goal['length']:,} (goal: ≥ {goal['goal']:g}, {'met' if goal['met'] else 'missed'})"
        for goal in found["goals"]
    ]
    compared = (
        f"SASRec's time ÷ M2Rec's: for one answer {_ratios(found['ratio_to_sasrec'], 2)}; with many at once "
        f"{', '.join(goals) or 'not measured'}."
    )
    left = [
        f"- {each['model']} has no figure for {LEFT_OUT[each['what']]}, {each['length']:,} items: {each['why']}."
        for each in found["left_out"]
    ]
    return ["### Speed on a GPU", "", about, "", *table, "", compared, "", *left, *([""] if left else [])]


def _worlds(worlds: dict[str, dict[str, Any]]) -> list[str]:
    """A row for each world; nothing if there is only the one of the table above."""
    if len(worlds) < 2:
        return []
    heads = ["world", "items", "from scratch", "one more item", "`recommend()`, ms", "95 % below, ms"]
    lines = [
        "The same ratios in every world, and how long an answer takes there, from scratch and after one more item:"
    ]
    lines += ["", _line(heads), _line("---" for _ in heads)]
    for name, world in worlds.items():
        times = world["recommend"]["rows"][:2] if "recommend" in world else []
        waits = [" / ".join(f"{row[figure]:.1f}" for row in times) or "–" for figure in ("median_ms", "p95_ms")]
        ratios = [_ratios(world[kind]) for kind in ("ratio_to_sasrec", "ratio_of_one_more")]
        lines.append(_line([name, f"{world['items']:,}", *ratios, *waits]))
    return [*lines, "", *(f"- {_verdict(name, world)}" for name, world in worlds.items()), ""]


def _verdict(name: str, world: dict[str, Any]) -> str:
    """A sentence on where M2Rec is faster than SASRec in this world and where it is not."""
    said = [
        f"{what} {_faster_and_slower(world[kind], other)}"
        for kind, what, other in (
            ("ratio_to_sasrec", "from scratch M2Rec is", "SASRec"),
            ("ratio_of_one_more", "for one more item it is", "SASRec without its cache"),
            ("ratio_of_one_more_cached", "for one more item it is", "SASRec with its cache"),
        )
        if world.get(kind)
    ]
    return f"{name}: {'; '.join(said)}."


def _faster_and_slower(ratios: dict[str, float], other: str) -> str:
    """The lengths at which M2Rec is faster than `other`, and those at which it is not."""
    faster = [f"{int(length):,}" for length, ratio in ratios.items() if ratio > 1]
    slower = [f"{int(length):,}" for length, ratio in ratios.items() if ratio <= 1]
    if not slower:
        return f"faster than {other} at every length"
    if not faster:
        return f"slower than {other} at every length"
    return f"slower than {other} after {' and '.join(slower)} items and faster after {' and '.join(faster)}"


def _times(rows: list[Row], what: str) -> dict[tuple[str, int], Row]:
    """The rows of one kind of answer, by model and length."""
    return {(row["model"], row["length"]): row for row in rows if row["what"] == what}


def _cell(times: dict[tuple[str, int], Row], model: str, length: int, figure: str, form: str) -> str:
    value = times.get((model, length), {}).get(figure)
    return "–" if value is None else format(value, form)


def _of_batch(times: dict[tuple[str, int], Row], model: str, length: int, figure: str, size: int) -> str:
    """A figure of a batch; its size too, if a batch of `size` did not fit into memory."""
    shown = _cell(times, model, length, figure, ",.0f")
    at_once: int = times.get((model, length), {}).get("batch", size)
    return shown if at_once == size else f"{shown} ({at_once:,} at once)"


def _ratios(found: dict[str, float], digits: int = 1) -> str:
    return ", ".join(f"{ratio:.{digits}f} after {int(length):,}" for length, ratio in found.items()) or "not measured"


def _page(found: dict[str, Any]) -> list[str]:
    """The times that `benchmark ui` measured in a browser."""
    about = (
        f"Headless Chromium and the page on one machine: {found['hardware']}, {found['date']}, by `{found['command']}`."
    )
    lines = ["### The page in a browser", "", about, "", _line(["", "measured", "goal"]), _line(["---"] * 3)]
    for one in found["latency"]:
        digits = 2 if one["unit"] in ("s", "MB") else 0
        goal = f"{'≥' if one['at_least'] else '≤'} {one['goal']:g} {one['unit']}"
        met = "" if one["met"] else ", missed"
        lines.append(_line([one["what"], f"{one['value']:.{digits}f} {one['unit']}", f"{goal}{met}"]))
    return [*lines, ""]


def _load(found: dict[str, Any]) -> list[str]:
    phases = {name: found[name] for name in PHASES if found[name]}
    rows = []
    for name, phase in phases.items():
        memory = phase["memory"]
        held = "–" if memory is None else f"{memory['first_mib']:,.0f} → {memory['last_mib']:,.0f}"
        times = [_whole(phase["p50_ms"]), _whole(phase["p95_ms"])]
        counts = [f"{phase[key]:,}" for key in ("visitors", "answers", "busy", "errors", "wrong_sessions")]
        rows.append(_line([PHASES[name], *counts, *times, held]))
    plan, after = found["plan"], found["recovery_s"]
    phrases = [f"Each visitor clicks every {plan['pace']:g} s for {plan['seconds']:g} s in the steady phase"]
    if "rush" in phases:
        prompt = "not prompt within a minute" if after is None else f"prompt again within {after:g} s"
        phrases.append(f"and for {plan['rush_seconds']:g} s in the rush, after which answers were {prompt}")
    about = (
        f"Page and visitors on the same machine: {found['hardware']}, {found['date']}, by `{found['command']}`. "
        f"{', '.join(phrases)}. A visitor who gets the reply “busy” loses nothing; a wrong session is an answer about "
        f"another visitor's history."
    )
    heads = ("", "visitors", "answers", "busy", "errors", "wrong sessions", "median, ms", "95 % below, ms", "MiB")
    return ["### Under load", "", about, "", _line(heads), _line(["---"] * len(heads)), *rows, ""]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _whole(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds:,.0f}"
