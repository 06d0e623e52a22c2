"""`python -m m2rec market grade`"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from m2rec.commands.output import Json, figure_cell, show, table
from m2rec.commands.places import this_command
from m2rec.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from m2rec.evaluation.market_report import PredictionGrades
    from m2rec.evaluation.predictions import Targets

RANKS_OF_A_RUN = ".npz"


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
        Path | None, typer.Option(help="The exported folder; the shipped world by default.", exists=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the model in the report; that of the file by default.")
    ] = None,
    about: Annotated[
        Path | None, typer.Option(help="A JSON file about the model, such as its settings, for the report.")
    ] = None,
    json_file: Json = None,
) -> None:
    """Grade ranked lists of any program, by cause, by period and for new arrivals, and compare them with an oracle.

    HR@10 and NDCG@10 over the test customers' purchases, seen items left in, with 95 % intervals over customers. The
    fair oracle knows the process but not the customers; "of the ceiling" is HR@10 ÷ the oracle's.
    """
    from m2rec.data.market.export import TRUTH, read_changes, read_items
    from m2rec.data.market.generate import cached_market
    from m2rec.data.market.truth import cached_truth, read_truth
    from m2rec.evaluation.market_report import MarketReport
    from m2rec.evaluation.predictions import Targets, grade_predictions, read_attributions, read_ranks

    for path in (predictions, gates):  # before the oracle, which takes minutes
        if path and not path.is_file():
            raise InputError(f"There is no file {path}; give one with predictions, such as those of `market predict`.")
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
    """The ranks of a run of `benchmark train`, seen items left in, and a description of the run from its result."""
    import numpy as np
    import pandas as pd

    from m2rec.benchmark.accuracy.result import Result
    from m2rec.evaluation.ranks import load_ranks

    try:
        result = Result.model_validate_json(path.with_suffix(".json").read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} has no readable result beside it ({path.stem}.json).") from error
    found = load_ranks(path, result.key)
    if not np.array_equal(pd.factorize(found.users)[0], targets.users):
        raise InputError(f"{path} has other targets than this market; give a run on the same market.")
    kept = ("model", "seed", "settings", "training", "parameters", "epochs", "best_epoch", "seconds", "hardware")
    whole = result.model_dump(mode="json")
    said = {"name": result.model} | {key: whole[key] for key in (*kept, "date", "command")}
    return found.by_seen["unmasked"], said | described


def _groups_table(grades: "PredictionGrades", targets: int) -> "Table":
    shown = table(f"{targets:,} targets", "among", "targets", "HR@10", "NDCG@10", "oracle HR@10", "of the ceiling")
    for name, group in grades.groups.items():
        share = "–" if group.share_of_ceiling is None else f"{100 * group.share_of_ceiling:.1f} %"
        cells = [figure_cell(figure) for figure in group.figures.values()]
        shown.add_row(name, f"{group.targets:,}", *cells, f"{group.oracle['HR@10']:.4f}", share)
    return shown


def _gates_table(grades: "PredictionGrades") -> "Table":
    from m2rec.branches import CAUSE_OF

    assert grades.gates
    shown = table("Attribution by cause", "cause", "AUC", "oracle AUC", "mean with this cause", "mean without")
    rows = [(CAUSE_OF[branch], row) for branch, row in grades.gates.gates.items()]
    rows += [(f"rhythm, period {period}", row) for period, row in grades.gates.by_period.items()]
    rows += [(f"rhythm, {count} cycles seen", row) for count, row in grades.gates.by_cycles.items()]
    for name, row in rows:
        numbers = (row.auc, row.oracle or 0.0, row.weight_with, row.weight_without)
        shown.add_row(name, *(f"{number:.3f}" for number in numbers))
    return shown
