"""`python -m m2rec market …`"""

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from m2rec.commands.market_stress import MOST_CUSTOMERS, stress
from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint, this_command
from m2rec.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from m2rec.data.market.settings import MarketSettings
    from m2rec.evaluation.market_report import PredictionGrades
    from m2rec.evaluation.predictions import Targets
    from m2rec.evaluation.report import Figure

app = typer.Typer()
app.command()(stress)

LONGEST = 2_000  # days
RANKS_OF_A_RUN = ".npz"


@app.callback()
def market() -> None:
    """The Rhythm Market as a benchmark for any program: export it, and grade what was predicted."""


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go; a folder that is there is replaced.")],
    format: Annotated[Literal["csv", "parquet", "recbole"], typer.Option(help="Of the tables.")] = "csv",
    customers: Annotated[int | None, typer.Option(min=10, max=MOST_CUSTOMERS, help="How many.")] = None,
    days: Annotated[
        int | None, typer.Option(min=58, max=LONGEST, help="The longest history; the shortest is half of it.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Of the random numbers.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Another constant of the process, such as slip=0.06, miss=0.1, taste_share=0.6 (the rest is noise), "
            "interest_shift=0.03, chain_strength=0.5, catalogue_share=0.5, rhythm_counts=(0.5,0.5,0,0). "
            "May be given several times.",
        ),
    ] = None,
    json_file: Json = None,
) -> None:
    """Write purchases, items, split and, apart from them, the causes and the fair oracle's answers.

    The default is the shipped world. The oracle takes some minutes for 20,000 customers; its answers are kept.
    """
    from m2rec.data.market.export import export_market
    from m2rec.data.market.generate import cached_market, generate
    from m2rec.data.market.settings import DEFAULT
    from m2rec.data.market.truth import cached_truth

    settings = _settings(customers, days, seed, change or [])
    try:
        made = cached_market() if settings == DEFAULT else generate(settings)
    except ValueError as error:
        raise InputError(f"Such a market cannot be made: {error}.") from error
    counts = export_market(made, cached_truth(made), folder, format)
    shown = table("Exported", "what", "count")
    shown.add_row("folder", str(folder))
    for what, count in counts.items():
        shown.add_row(what, f"{count:,}")
    show({"folder": str(folder), **counts}, json_file, shown)


@app.command()
def shoppers(
    file: Annotated[Path, typer.Argument(help="The CSV file that they go to.")],
    json_file: Json = None,
) -> None:
    """Four test customers of the shipped market with causes and the fair oracle's answers, for the page's presets."""
    from m2rec.atomic import atomic_file
    from m2rec.data.market.generate import cached_market
    from m2rec.data.market.shoppers import shoppers_of

    found = shoppers_of(cached_market())
    with atomic_file(file) as temporary:
        found.to_csv(temporary, index=False)
    shown = table("Shoppers", "key", "user", "days")
    counts = found.groupby(["key", "user"], sort=False).size()
    for (key, user), days in counts.items():
        shown.add_row(key, user, str(days))
    show({key: {"user": user, "days": int(days)} for (key, user), days in counts.items()}, json_file, shown)


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(help="An exported market.")],
    predictions: Annotated[Path, typer.Argument(help="The Parquet file that the ranked lists go to.")],
    checkpoint: Annotated[
        str | None, typer.Option(help="A world's name or a checkpoint folder; the shipped market's by default.")
    ] = None,
    gates: Annotated[Path | None, typer.Option(help="Also write the gate before each target to this file.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Use the CPU even where there is a GPU.")] = False,
) -> None:
    """Let a trained M2Rec take the test: its ten best items for every target, in the form that `grade` reads."""
    import numpy as np
    import torch

    from m2rec.checkpoint import Checkpoint
    from m2rec.data.market.export import read_export, read_items
    from m2rec.data.market.generate import NAME
    from m2rec.evaluation.ranked_lists import write_gates, write_lists

    loaded = Checkpoint.load(find_checkpoint(checkpoint or NAME))
    model = loaded.model().to(torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu"))
    ids = [item.item_id for item in loaded.items]
    prepared = read_export(folder, ids, model.config.warm_items)
    sold = np.isin(ids, list(read_items(folder)))
    count = write_lists(model, prepared, sold, predictions)
    say(f"Ranked {count:,} targets in {predictions}.")
    if gates:
        write_gates(model, prepared, gates)
        say(f"Wrote the gate before each of them to {gates}.")


@app.command()
def grade(
    predictions: Annotated[
        Path,
        typer.Argument(
            help="CSV or Parquet with user, position, rank and item; or the ranks (.npz) of a run of `benchmark train`."
        ),
    ],
    gates: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet with user, position and chain, rhythm, taste (or the three gate weights)."),
    ] = None,
    market: Annotated[
        Path | None, typer.Option(help="An exported folder; the shipped world by default.", exists=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of what predicted, for the report; the file's, if not said.")
    ] = None,
    about: Annotated[
        Path | None, typer.Option(help="A JSON file on what predicted, such as its settings; goes into the report.")
    ] = None,
    json_file: Json = None,
) -> None:
    """Grade ranked lists of any program against what no model can beat, by cause, by period and for new arrivals.

    HR@10 and NDCG@10 over the test customers' purchases, seen items left in, with 95 % intervals over customers. The
    fair oracle knows the process but not the customers; "of the ceiling" is HR@10 over the oracle's.
    """
    from m2rec.data.market.export import TRUTH, read_changes, read_items
    from m2rec.data.market.generate import cached_market
    from m2rec.data.market.truth import cached_truth, read_truth
    from m2rec.evaluation.market_report import MarketReport
    from m2rec.evaluation.predictions import Targets, grade_predictions, read_attributions, read_ranks

    described = _read_about(about) if about else {}
    if market is None:
        made, changes = cached_market(), {}
        truth, items = cached_truth(made), set(made.shop.catalogue.table["item"])
    else:
        truth, items, changes = read_truth(market / TRUTH), read_items(market), read_changes(market)
    targets = Targets(truth)
    if predictions.suffix == RANKS_OF_A_RUN:
        ranks, described = _run_of(predictions, targets, described)
    else:
        ranks = read_ranks(predictions, targets, items)
    attributions = read_attributions(gates, targets) if gates else None
    grades = grade_predictions(targets, ranks, attributions)
    report = MarketReport(
        name=name or str(described.pop("name", predictions.stem)),
        about=described,
        market=changes,
        date=datetime.now(UTC).date(),
        command=this_command(),
        **dict(grades),
    )
    shown = [_groups_table(grades, len(targets))]
    if grades.gates:
        shown.append(_gates_table(grades))
    show(report.model_dump(mode="json"), json_file, *shown)


def _read_about(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a readable JSON file ({error}).") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} must hold one JSON object, such as {{}}.")
    return found


def _run_of(path: Path, targets: "Targets", described: dict[str, Any]) -> "tuple[np.ndarray, dict[str, Any]]":
    """The ranks of a run of `benchmark train`, seen items left in, and what its result says about it."""
    import numpy as np
    import pandas as pd

    from m2rec.benchmark.accuracy.job import Result
    from m2rec.benchmark.accuracy.ranks import load_ranks

    try:
        result = Result.model_validate_json(path.with_suffix(".json").read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} has no readable result beside it ({path.stem}.json).") from error
    found = load_ranks(path, result.key)
    if not np.array_equal(pd.factorize(found.users)[0], targets.users):
        raise InputError(f"{path} is about other targets than this market's.")
    kept = ("model", "seed", "settings", "training", "parameters", "epochs", "best_epoch", "seconds", "hardware")
    whole = result.model_dump(mode="json")
    said = {"name": result.model} | {key: whole[key] for key in (*kept, "date", "command")}
    return found.by_seen["unmasked"], said | described


def _settings(customers: int | None, days: int | None, seed: int | None, changes: list[str]) -> "MarketSettings":
    """The default settings with these changes. Raises InputError for one that cannot be."""
    from dataclasses import fields, replace

    from m2rec.data.market.settings import DEFAULT

    known = {field.name for field in fields(DEFAULT)}
    wanted: dict[str, Any] = {"customers": customers, "seed": seed}
    if days is not None:
        wanted |= {"longest": days, "shortest": days // 2, "arrivals_from": min(DEFAULT.arrivals_from, days // 2)}
    for change in changes:
        name, _, text = (part.strip() for part in change.partition("="))
        if name not in known:
            raise InputError(f"{name!r} is not a constant of the market; there are {', '.join(sorted(known))}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise InputError(f"{change!r} is not of the form name=number, or name=(number, …).") from None
        default = getattr(DEFAULT, name)
        if isinstance(default, tuple) != isinstance(value, tuple) or not _numbers_only(value):
            raise InputError(f"{name} is {default}; give a value of the same kind, not {text}.")
        if isinstance(default, int) and not isinstance(value, int):
            raise InputError(f"{name} is a whole number, not {text}.")
        wanted[name] = value
    try:
        return replace(DEFAULT, **{name: value for name, value in wanted.items() if value is not None})
    except (ValueError, TypeError) as error:
        raise InputError(f"Such a market cannot be made: {error}.") from error


def _numbers_only(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_numbers_only, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _groups_table(grades: "PredictionGrades", targets: int) -> "Table":
    shown = table(f"{targets:,} targets", "among", "targets", "HR@10", "NDCG@10", "oracle HR@10", "of the ceiling")
    for name, group in grades.groups.items():
        share = "–" if group.share_of_ceiling is None else f"{100 * group.share_of_ceiling:.1f} %"
        cells = [_cell(figure) for figure in group.figures.values()]
        shown.add_row(name, f"{group.targets:,}", *cells, f"{group.oracle['HR@10']:.4f}", share)
    return shown


def _gates_table(grades: "PredictionGrades") -> "Table":
    from m2rec.branches import CAUSES

    assert grades.gates
    shown = table("Attribution against cause", "cause", "AUC", "oracle AUC", "mean with the cause", "mean without")
    cause_of = CAUSES
    rows = [(cause_of[branch], row) for branch, row in grades.gates.gates.items()]
    rows += [(f"rhythm, period {period}", row) for period, row in grades.gates.by_period.items()]
    rows += [(f"rhythm, {count} cycles seen", row) for count, row in grades.gates.by_cycles.items()]
    for name, row in rows:
        numbers = (row.auc, row.oracle or 0.0, row.weight_with, row.weight_without)
        shown.add_row(name, *(f"{number:.3f}" for number in numbers))
    return shown


def _cell(figure: "Figure") -> str:
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4f}"
    return f"{figure.value:.4f} ({figure.low:.4f}–{figure.high:.4f})"
