"""The sections below the page, fetched when first opened: lessons, results, the market's test, own data, about."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from m2rec.errors import CheckpointError, DataError, InputError
from m2rec.evaluation.benchmark_rows import remarks, seed_count
from m2rec.evaluation.peers import Peer, read_peers
from m2rec.evaluation.report import GateMeasurement, Measurement, MetricsFile, read_metrics
from m2rec.evaluation.seen import SEEN
from m2rec.paths import benchmarks_of
from m2rec.text_safety import quoted
from m2rec.ui.lessons import lessons
from m2rec.ui.panels.ablations import ablations, path_of, switched_off
from m2rec.ui.panels.market_test import market_test
from m2rec.ui.panels.standing import by_cause, rankings, scale_of
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.world_names import FILMS

SHOWN = ("HR@5", "HR@10", "HR@20", "NDCG@10", "MRR@10")
CARD_LEVEL = 3  # of the heading above a model card; headings within the card are below it
EMPTY_HEAD = re.compile(r"<thead>\s*<tr>(\s*<th[^>]*></th>)+\s*</tr>\s*</thead>")


@dataclass(frozen=True)
class Table:
    """Figures as text, with a row for each model."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def section(context: PageContext, name: str) -> str:
    """The HTML of one section. Raises InputError for an unknown name."""
    if name not in _SECTIONS:
        raise InputError(f"There is no section {quoted(name)}; there are {', '.join(_SECTIONS)}.")
    return _SECTIONS[name](context)


def _lessons(context: PageContext) -> str:
    names = {world.name: world for world in context.worlds}
    rows = [
        {"lesson": one, "open": one.world is None or (one.world in names and not names[one.world].error)}
        for one in lessons()
    ]
    return render("sections/lessons.html.j2", rows=rows)


def _results(context: PageContext) -> str:
    folder, name = context.world.folder, context.world.name
    note, tables, rows, metrics, parts = None, [], [], MetricsFile(world=name), None
    table: dict[str, Any] = {}
    try:
        if folder:
            metrics = read_metrics(folder, name)
            recorded = benchmarks_of(folder)
            table = _benchmark(recorded / f"{name}.json")
            rows = [*_rows_of(table), *map(_row_of_peer, read_peers(recorded, name))]
            shipped = next((one for one in metrics.measurements if (one.split, one.seen) == ("test", "unmasked")), None)
            parts = ablations(_benchmark(path_of(recorded, name))) or ablations(table, shipped)
        tables = [_measured(metrics.measurements)] if metrics.measurements else []
        tables += [_benchmarks(name, rows)] if rows else []
        tables += [_gates(metrics.gates)] if metrics.gates else []
    except (CheckpointError, DataError) as error:
        note = str(error)
    return render(
        "sections/results.html.j2",
        world=context.world,
        remarked=[row["model"] for row in rows if row.get("remark")],
        rankings=(found := rankings(metrics.measurements, rows, table, metrics.gates)),
        scale=scale_of(found),
        causes=by_cause(metrics.gates),
        ablations=parts,
        switched_off=switched_off(metrics),
        tables=tables,
        note=note,
        published=_published() if name == FILMS else None,
        card=_card(folder),
    )


def _measured(measurements: list[Measurement]) -> Table:
    rows = []
    for one in measurements:
        cells = []
        for name in SHOWN:
            figure = one.figures.get(name)
            between = f" [{figure.low:.4f}, {figure.high:.4f}]" if figure and figure.low is not None else ""
            cells.append(f"{figure.value:.4f}{between}" if figure else "–")
        seeds = f"{len(one.seeds)} seed{'s' * (len(one.seeds) > 1)}"
        rows.append((one.model, one.split, SEEN[one.seen], *cells, f"{seeds}, {one.hardware}, {one.date}", one.command))
    columns = ("model", "split", "seen items", *SHOWN, "measured", "command")
    return Table("Measured on this world", measurements[0].protocol, columns, rows)


def _benchmark(path: Path) -> dict[str, Any]:
    """A recorded table of `m2rec benchmark`, without rows if there is no file. Raises CheckpointError if damaged."""
    if not path.is_file():
        return {"rows": [], "comparisons": []}
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for row in _rows_of(table):
            _benchmark_row(row)  # raises an error for a damaged row before anything is shown
        ablations(table | {"comparisons": table.get("comparisons", [])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{path.name} is not a readable benchmark file; restore it or make it again.") from error
    return table


def _rows_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of baselines, without the ablations of M2Rec."""
    rows = [row for row in table["rows"] if "model" in row and "unmasked" in row]
    return [row for row in rows if not row.get("ablates")]


def _row_of_peer(one: Peer) -> dict[str, Any]:
    """As in a table of `m2rec benchmark`."""
    row: dict[str, Any] = {"model": one.model, "seeds": [one.seed]}
    row |= {"hardware": [one.hardware], "dates": [one.date], "commands": [one.command]}
    for seen in SEEN:
        figures = one.figures(seen)
        row[seen] = {metric: figure.value for metric, figure in figures.items()}
        row[f"{seen}_interval"] = {metric: [figure.low, figure.high] for metric, figure in figures.items()}
    return row


def _benchmarks(name: str, rows: list[dict[str, Any]]) -> Table:
    """A table of models by figures, with seen items left in and taken out, and how each was trained."""
    figures = [f"{name}, {words}" for words in SEEN.values() for name in ("HR@10", "NDCG@10")]
    columns = ("model", *figures, "seeds", "made on", "command")
    note = f"The same split for all of them; how each was trained stands in its own row.{remarks(rows)}"
    return Table(f"Beside it: {name}", note, columns, [_benchmark_row(row) for row in rows])


def _gates(found: GateMeasurement) -> Table:
    """How well each gate weight predicts its cause, and how well the fair oracle does."""
    rows: list[tuple[str, ...]] = [
        (name, f"{one.auc:.3f}", f"{one.oracle:.3f}" if one.oracle is not None else "–", f"{one.targets:,}")
        for name, one in found.grades.gates.gates.items()
    ]
    note = f"AUC of each weight against the true cause. Measured on {found.hardware}, {found.date}: {found.command}"
    return Table("Does the gate know why?", note, ("gate", "model", "fair oracle", "purchases with its cause"), rows)


def _benchmark_row(row: dict[str, Any]) -> tuple[str, ...]:
    cells = [_figure(row.get(seen, {}).get(name)) for seen in SEEN for name in ("HR@10", "NDCG@10")]
    made = ", ".join(str(row[name][0]) for name in ("hardware", "dates") if row.get(name))
    return (str(row["model"]), *cells, str(seed_count(row) or "–"), made or "–", str((row.get("commands") or ["–"])[0]))


def _figure(value: Any) -> str:
    """A figure that is a number, or an object with mean and standard deviation."""
    if isinstance(value, dict):
        spread = f" ± {value['sd']:.4f}" if "sd" in value else ""
        return f"{value.get('mean', value.get('value')):.4f}{spread}"
    return f"{value:.4f}" if isinstance(value, int | float) else "–"


@lru_cache(maxsize=1)
def _published() -> Table:
    """The paper's own table for MovieLens 1M."""
    read = tomllib.loads((files("m2rec.ui.panels") / "published.toml").read_text(encoding="utf-8"))
    rows = [(row["model"], *(f"{value:.4f}" for value in row["figures"])) for row in read["row"]]
    return Table(read["title"], read["note"], ("model", *read["columns"]), rows)


def _card(folder: Path | None) -> Markup | None:
    """The model card as HTML. Raw HTML in it is shown as text, and images are not loaded."""
    path = folder / "README.md" if folder else None
    if path is None or not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    body = text.split("\n---\n", 1)[1] if text.startswith("---\n") and "\n---\n" in text else text
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = markdown.parse(body)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + CARD_LEVEL, 6)}"
    return Markup(EMPTY_HEAD.sub("", markdown.renderer.render(tokens, markdown.options, {})))


def _own(context: PageContext) -> str:
    return render("sections/own.html.j2", world=context.world)


def _about(context: PageContext) -> str:
    return render("sections/about.html.j2", world=context.world, worlds=list(context.worlds))


_SECTIONS: dict[str, Callable[[PageContext], str]] = {
    "lessons": _lessons,
    "results": _results,
    "test": market_test,
    "own": _own,
    "about": _about,
}
