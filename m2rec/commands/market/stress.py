"""`python -m m2rec market stress`"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from m2rec.branches import CAUSE_OF
from m2rec.commands.output import STANDARD_OUTPUT, Json, figure_cell, show, table
from m2rec.commands.places import find_checkpoint, this_command
from m2rec.world_names import MARKET

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.evaluation.stress_table import StressTable

MOST_CUSTOMERS = 1_000_000


def stress(
    checkpoint: Annotated[
        str | None, typer.Argument(help="A world's name or a checkpoint folder; the shipped market's by default.")
    ] = None,
    customers: Annotated[
        int, typer.Option(min=100, max=MOST_CUSTOMERS, help="Customers of each market, a tenth of them for testing.")
    ] = 4000,
    only: Annotated[list[str] | None, typer.Option(help="Only the row with this name; may be repeated.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Use the CPU even if there is a GPU.")] = False,
    json_file: Json = None,
) -> None:
    """Test a trained M2Rec, without further training, in markets with other settings, beside their fair oracles.

    The markets are listed in m2rec/data/market/stress.toml. Each takes a minute or two with 4,000 customers. The file
    of --json is written after every market, and markets that are already in it are kept.
    """
    import torch

    from m2rec.checkpoint import Checkpoint
    from m2rec.errors import InputError
    from m2rec.evaluation.stress import grade_rows, stress_rows
    from m2rec.evaluation.stress_table import StressTable, resumed_from, write_table
    from m2rec.training.machine import device_name, git_revision

    rows = stress_rows()
    unknown = sorted(set(only or ()) - {row.name for row in rows})
    if unknown:
        raise InputError(f"There is no row {unknown[0]!r}; choose from {', '.join(row.name for row in rows)}.")
    loaded = Checkpoint.load(find_checkpoint(checkpoint or MARKET))
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    begun = StressTable(
        world=loaded.config.world,
        weights=loaded.config.sha256["model.safetensors"],
        customers=customers,
        hardware=device_name(device),
        date=datetime.now(UTC).date().isoformat(),
        command=this_command(),
        revision=git_revision(),
    )
    path = Path(json_file) if json_file and json_file != STANDARD_OUTPUT else None
    if path:
        begun = resumed_from(begun, path)
    asked = {*(only or (row.name for row in rows)), *(row.name for row in begun.rows)}
    wanted = [row for row in rows if row.name in asked]
    model = loaded.model().to(device)
    found = grade_rows(loaded, model, wanted, begun, save=lambda so_far: write_table(so_far, path) if path else None)
    show(found.model_dump(), json_file, _rows(found))


def _rows(found: "StressTable") -> "Table":
    columns = ("HR@10", "oracle", "of the ceiling", "gate AUC: chain", "rhythm", "taste")
    shown = table(f"{found.world}: {found.customers // 10:,} customers a row", "market", *columns)
    for row in found.rows:
        everything = row.groups["all"]
        share = "–" if everything.share_of_ceiling is None else f"{100 * everything.share_of_ceiling:.1f} %"
        gates = row.gates.gates if row.gates else {}
        graded = (gates.get(branch) for branch in CAUSE_OF)
        cells = ["–" if gate is None else f"{gate.auc:.3f} ({gate.oracle or 0:.3f})" for gate in graded]
        reached, ceiling = figure_cell(everything.figures["HR@10"]), f"{everything.oracle['HR@10']:.4f}"
        shown.add_row(row.name, reached, ceiling, share, *cells)
    return shown
