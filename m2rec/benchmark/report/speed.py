"""Tables of answers on a CPU, from `benchmark speed`, and in which worlds M2Rec is faster than SASRec."""

from typing import Any

from m2rec.benchmark.report.markdown import line
from m2rec.benchmark.report.times import Row, cell_of, in_words, times_of


def speed(found: dict[str, Any]) -> list[str]:
    """A row for each model with its times in one world; then the ratios in every world."""
    on_cpu: list[Row] = [row for row in found["rows"] if row["device"] == "cpu"]
    one_thread = [row for row in on_cpu if row["threads"] == 1]
    scratch, added = times_of(one_thread, "answer"), times_of(one_thread, "added item")
    many = times_of(on_cpu, "batch")
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
    table = [line(heads), line("---" for _ in heads)]
    for model in models:
        slope = found["growth"].get(model)
        cells = [
            *(cell_of(scratch, model, length, "cpu_ms", ".2f") for length in lengths),
            "–" if slope is None else f"{slope:.2f}",
            *(cell_of(added, model, length, "cpu_ms", ".2f") for length in live),
            *(cell_of(many, model, length, "answers_per_second", ",.0f") for length in crowded),
        ]
        table.append(line([model, *cells]))
    where = f"{', '.join(found['hardware'])}, torch {found['torch']}, {found['date']}, by `{found['command']}`"
    about = (
        f"The ten best of {found['catalogue']:,} items: CPU milliseconds on one thread for an answer from scratch and "
        f"for one more item on a cached state, and answers per second in batches on {max(found['threads'])} threads. "
        f"Weights are random; the models take turns. {where}."
    )
    compared = (
        f"SASRec's time ÷ M2Rec's: {in_words(found['ratio_to_sasrec'])} for an answer from scratch; for one more "
        f"item {in_words(found['ratio_of_one_more'])} when SASRec reads the history again, as it must once its window "
        f"is full, and {in_words(found['ratio_of_one_more_cached'])} while it can use its cache."
    )
    return ["### Speed", "", about, "", *table, "", compared, "", *_worlds(found["worlds"])]


def _worlds(worlds: dict[str, dict[str, Any]]) -> list[str]:
    """A row for each world; nothing if there is only the one of the table above."""
    if len(worlds) < 2:
        return []
    heads = ["world", "items", "from scratch", "one more item", "`recommend()`, ms", "95 % below, ms"]
    lines = [
        "The same ratios in every world, and how long an answer takes there, from scratch and after one more item:"
    ]
    lines += ["", line(heads), line("---" for _ in heads)]
    for name, world in worlds.items():
        times = world["recommend"]["rows"][:2] if "recommend" in world else []
        waits = [" / ".join(f"{row[figure]:.1f}" for row in times) or "–" for figure in ("median_ms", "p95_ms")]
        ratios = [in_words(world[kind]) for kind in ("ratio_to_sasrec", "ratio_of_one_more")]
        lines.append(line([name, f"{world['items']:,}", *ratios, *waits]))
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
