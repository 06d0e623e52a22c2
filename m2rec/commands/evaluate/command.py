"""`python -m m2rec evaluate WORLD`"""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from m2rec.branches import BranchName
from m2rec.commands.evaluate.data import data_of
from m2rec.commands.evaluate.record import Evaluated, record_figures, record_removal
from m2rec.commands.evaluate.tables import figures_table, grades_table, hits_table, without_tables
from m2rec.commands.output import Json, say, show
from m2rec.commands.places import find_checkpoint
from m2rec.errors import InputError
from m2rec.world_names import MARKET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from m2rec.data.prepared import Prepared
    from m2rec.evaluation.report import Grades
    from m2rec.model.m2rec import M2Rec


def evaluate(
    world: Annotated[
        str | None,
        typer.Argument(help="A world's name or a checkpoint folder; the default is the first checkpoint."),
    ] = None,
    split: Annotated[Literal["validation", "test"], typer.Option(help="Which targets.")] = "test",
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Also write figures and ranks into the checkpoint's folder: metrics.json, ranks.npz."
        ),
    ] = False,
    gates: Annotated[
        bool,
        typer.Option("--gates", help="Also compare the gate with an oracle (Rhythm Market only; minutes)."),
    ] = False,
    without: Annotated[
        BranchName | None,
        typer.Option(help="What this branch adds: the same with its gate weight 0, without training again."),
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Use the CPU even if there is a GPU.")] = False,
    json_file: Json = None,
) -> None:
    """Rank every held-out event among all items and print HR, NDCG and MRR with 95 % intervals over users.

    "Left in" ranks every target among all items; "taken out" ranks the targets that are new to their users among the
    items that are not in the history. No negatives are sampled.
    """
    import torch

    from m2rec.checkpoint import Checkpoint
    from m2rec.evaluation import protocol
    from m2rec.training.machine import device_name

    folder = find_checkpoint(world)
    checkpoint = Checkpoint.load(folder)
    config = checkpoint.config
    if without:
        _check_removable(without, config.model.branches, gates)
    if gates and config.data.source != MARKET:
        raise InputError(f"The causes in {config.world} are unknown, so its gate cannot be graded; leave out --gates.")
    prepared = data_of(config)
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    model = checkpoint.model().to(device)
    found = protocol.evaluate(model, prepared, split, config.model.max_length)
    one = Evaluated(folder, config, split, found, device_name(device))
    if without:
        _compare_without(without, one, model, prepared, record, json_file)
    else:
        _show_figures(one, prepared, _grades(one, model, prepared) if gates else None, record, json_file)


def _show_figures(
    one: Evaluated, prepared: "Prepared", grades: "Grades | None", record: bool, json_file: str | None
) -> None:
    from m2rec.evaluation.figures import with_intervals

    found, figures = one.found, with_intervals(one.found)
    if record:
        say(f"Recorded in {record_figures(one, figures, grades)}.")
    size = f"{len(found.users):,} targets, {prepared.item_count:,} items"
    shown = figures_table(f"{one.config.world}, {one.split}: {size}", found, figures)
    if grades:
        show(found.figures | grades.model_dump(), json_file, shown, grades_table(grades), hits_table(grades))
    else:
        show(found.figures, json_file, shown)


def _compare_without(
    branch: BranchName, one: Evaluated, model: "M2Rec", prepared: "Prepared", record: bool, json_file: str | None
) -> None:
    """Rank the targets once more without the branch, and show what it adds."""
    from m2rec.evaluation import protocol
    from m2rec.evaluation.figures import differences

    with model.gate.without(branch):
        less = protocol.evaluate(model, prepared, one.split, one.config.model.max_length)
    added = differences(one.found, less)
    if not added:
        raise InputError(f"What a branch adds is compared over users, and only one has {one.split} targets.")
    if record:
        say(f"Recorded in {record_removal(one, branch, less, added)}.")
    tables = without_tables(branch, one.found, less, added)
    show({"with": one.found.figures, "without": less.figures}, json_file, *tables)


def _grades(one: Evaluated, model: "M2Rec", prepared: "Prepared") -> "Grades":
    from m2rec.data.market.generate import cached_market
    from m2rec.evaluation.market import grade

    return grade(model, prepared, cached_market(), one.split, model.config.max_length, one.found.ranks["unmasked"])


def _check_removable(branch: BranchName, branches: "Sequence[str]", gates: bool) -> None:
    """Raises InputError when the model has no such branch, or would have none left, or when gates are graded too."""
    if gates:
        raise InputError("A gate is graded with all of its weights; leave out either --without or --gates.")
    if branch not in branches or len(branches) == 1:
        raise InputError(f"This model cannot do without a {branch} branch: it has {' and '.join(branches)} only.")
