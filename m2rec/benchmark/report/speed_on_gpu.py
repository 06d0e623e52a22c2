"""The table of `benchmark speed --gpu`."""

from typing import Any

from m2rec.benchmark.report.markdown import line
from m2rec.benchmark.report.times import Row, cell_of, in_words, times_of

LEFT_OUT = {"answer": "one answer", "batch": "many answers at once", "training": "training"}


def speed_on_gpu(found: dict[str, Any]) -> list[str]:
    """A row for each model, SASRec's time ÷ M2Rec's, and whether the goals are met."""
    rows: list[Row] = found["rows"]
    one, many = times_of(rows, "answer"), times_of(rows, "batch")
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
    table = [line(heads), line("---" for _ in heads)]
    for model in dict.fromkeys([*(row["model"] for row in rows), *training]):
        steps = training.get(model, {})
        table.append(
            line(
                [
                    model,
                    *(cell_of(one, model, length, "median_ms", ".2f") for length in lengths),
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
        f"SASRec's time ÷ M2Rec's: for one answer {in_words(found['ratio_to_sasrec'], 2)}; with many at once "
        f"{', '.join(goals) or 'not measured'}."
    )
    left = [
        f"- {each['model']} has no figure for {LEFT_OUT[each['what']]}, {each['length']:,} items: {each['why']}."
        for each in found["left_out"]
    ]
    return ["### Speed on a GPU", "", about, "", *table, "", compared, "", *left, *([""] if left else [])]


def _of_batch(times: dict[tuple[str, int], Row], model: str, length: int, figure: str, size: int) -> str:
    """A figure of a batch; its size too, if a batch of `size` did not fit into memory."""
    shown = cell_of(times, model, length, figure, ",.0f")
    at_once: int = times.get((model, length), {}).get("batch", size)
    return shown if at_once == size else f"{shown} ({at_once:,} at once)"
