"""Exports of an answer: JSON, CSV, or a Python script that repeats it."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Literal

from m2rec.branches import BRANCHES
from m2rec.text_safety import printable
from m2rec.ui.render.context import PageContext

FORMULA = tuple("=+-@＝＋－＠")  # what makes a spreadsheet compute a cell, in half and full width

Format = Literal["json", "csv", "python"]


@dataclass(frozen=True)
class Export:
    """A file for the visitor to save."""

    name: str
    media_type: str
    text: str


def export(context: PageContext, kind: Format) -> Export:
    """The context's answer in one of the formats."""
    stem = f"m2rec-{context.world.name}"
    if kind == "json":
        return Export(f"{stem}.json", "application/json", answer_json(context))
    if kind == "csv":
        return Export(f"{stem}.csv", "text/csv", answer_csv(context))
    return Export(f"{stem}.py", "text/x-python", python_snippet(context))


def answer_json(context: PageContext) -> str:
    """The whole answer, indented."""
    return json.dumps(context.answer.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def answer_csv(context: PageContext) -> str:
    """One row a recommendation. Titles that a spreadsheet would run as a formula are quoted with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", "item_id", "title", "group", "probability", *BRANCHES])
    for item in context.answer.items:
        shares = [f"{item.contributions[name]:.6g}" for name in BRANCHES]
        row = [item.item_id, item.title, item.group]
        writer.writerow([item.rank, *(_inert(cell) for cell in row), f"{item.probability:.6g}", *shares])
    return text.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if printable(cell).startswith(FORMULA) else cell


def python_snippet(context: PageContext) -> str:
    """A script that repeats this answer in M2Rec's folder, with the titles that are known here."""
    state = context.state
    options = [f"    k={state.k},"]
    if state.exclude_seen:
        options.append("    exclude_seen=True,")
    if state.gate_override:
        options.append(f"    gate_override={state.gate_override!r},")
    if state.band_mask:
        options.append(f"    band_mask={list(state.band_mask)!r},")
    lines = [f"    {item_id!r},  # {_comment(context.world.named(item_id))}" for item_id in state.history]
    return "\n".join(
        [
            "# In M2Rec's folder: pip install . once, then run this file from there.",
            "from m2rec import Recommender",
            "",
            f"world = Recommender.from_pretrained({f'checkpoints/{context.world.name}'!r})",
            "history = [",
            *lines,
            "]",
            "answer = world.recommend(",
            "    history,",
            *options,
            ")",
            *_printing(context),
            "",
        ]
    )


def _printing(context: PageContext) -> list[str]:
    """The last lines; where titles may not be shipped, a loaded checkpoint knows numbers only, so they come along."""
    if context.world.ships_titles:
        return [
            "for item in answer.items:",
            '    print(f"{item.rank:2d}  {item.probability:6.1%}  {item.title}")',
        ]
    return [
        "titles = {",
        *(f"    {item.item_id!r}: {printable(item.title)!r}," for item in context.answer.items),
        "}",
        "for item in answer.items:",
        '    print(f"{item.rank:2d}  {item.probability:6.1%}  {titles.get(item.item_id, item.title)}")',
    ]


def _comment(title: str) -> str:
    return printable(title)
