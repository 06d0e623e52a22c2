"""`python -m m2rec evaluate WORLD`"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from m2rec.branches import BranchName
from m2rec.commands.output import Json, figure_cell, say, show, table
from m2rec.commands.places import find_checkpoint, find_world, this_command
from m2rec.data.cache import prepared_folder
from m2rec.errors import CheckpointError, InputError
from m2rec.evaluation.seen import SEEN
from m2rec.world_names import MARKET

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from rich.table import Table

    from m2rec.checkpoint import CheckpointConfig
    from m2rec.data.prepared import Prepared
    from m2rec.evaluation.bootstrap import Difference
    from m2rec.evaluation.protocol import Evaluation, Part
    from m2rec.evaluation.report import Figure, Grades, Removal
    from m2rec.evaluation.seen import Seen
    from m2rec.model.m2rec import M2Rec

SPLITS = {
    "leave-one-out": "leave-one-out: each user's last event, the one before it for validation",
    "by-user": "users not trained on, each of their events after the first weeks",
    "global-temporal": "one clock for everybody: the newest events, those just before them for validation",
}


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
    from m2rec.evaluation.figures import differences, with_intervals
    from m2rec.evaluation.ranks import OF_CHECKPOINT, checkpoint_key, save_ranks
    from m2rec.evaluation.report import read_metrics, write_metrics
    from m2rec.training.machine import device_name

    folder = find_checkpoint(world)
    checkpoint = Checkpoint.load(folder)
    config = checkpoint.config
    if without:
        _check_removable(without, config.model.branches, gates)
    if gates and config.data.source != MARKET:
        raise InputError(f"The causes in {config.world} are unknown, so its gate cannot be graded; leave out --gates.")
    prepared = _data_of(config)
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    model = checkpoint.model().to(device)
    found = protocol.evaluate(model, prepared, split, config.model.max_length)
    if without:
        with model.gate.without(without):
            less = protocol.evaluate(model, prepared, split, config.model.max_length)
        added = differences(found, less)
        if not added:
            raise InputError(f"What a branch adds is compared over users, and only one has {split} targets.")
        if record:
            removals = _removals(config, without, split, less, added, device_name(device))
            written = write_metrics(folder, read_metrics(folder, config.world).with_removals(removals))
            say(f"Recorded in {written}.")
        tables = _without_tables(without, found, less, added)
        show({"with": found.figures, "without": less.figures}, json_file, *tables)
        return
    figures = with_intervals(found)
    grades = _grade(model, prepared, split, found.ranks["unmasked"]) if gates else None

    if record:
        if split == "test":
            save_ranks(folder / OF_CHECKPOINT, found, checkpoint_key(config))
        written = _record(folder, config, found, split, figures, grades, device_name(device))
        say(f"Recorded in {written}.")
    size = f"{len(found.users):,} targets, {prepared.item_count:,} items"
    shown = table(f"{config.world}, {split}: {size}", "metric", *(SEEN[seen] for seen in figures))
    for metric in figures["unmasked"]:
        shown.add_row(metric, *(figure_cell(rows[metric]) for rows in figures.values()))
    if "masked" in figures and found.count("masked") < len(found.users):
        shown.caption = f"{SEEN['masked']}: {found.count('masked'):,} targets, those that are new to their users"
    if grades:
        show(found.figures | grades.model_dump(), json_file, shown, _grades_table(grades), _hits_table(grades))
    else:
        show(found.figures, json_file, shown)


def _check_removable(branch: BranchName, branches: "Sequence[str]", gates: bool) -> None:
    """Raises InputError when the model has no such branch, or would have none left, or when gates are graded too."""
    if gates:
        raise InputError("A gate is graded with all of its weights; leave out either --without or --gates.")
    if branch not in branches or len(branches) == 1:
        raise InputError(f"This model cannot do without a {branch} branch: it has {' and '.join(branches)} only.")


def _removals(
    config: "CheckpointConfig",
    branch: BranchName,
    split: "Part",
    less: "Evaluation",
    added: "dict[Seen, dict[str, Difference]]",
    hardware: str,
) -> "list[Removal]":
    from m2rec.evaluation.figures import with_intervals
    from m2rec.evaluation.report import Advantage, Removal

    figures = with_intervals(less)
    return [
        Removal(
            branch=branch,
            seen=seen,
            targets=less.count(seen),
            figures=figures[seen],
            adds={metric: Advantage(**vars(row)) for metric, row in rows.items()},
            **_measured(config, split, hardware),
        )
        for seen, rows in added.items()
    ]


def _without_tables(
    branch: BranchName, whole: "Evaluation", less: "Evaluation", added: "dict[Seen, dict[str, Difference]]"
) -> "list[Table]":
    """Both ways to rank: each metric with and without the branch, and what the branch adds."""
    tables = []
    for seen, rows in added.items():
        title = f"The {branch} branch, {SEEN[seen]}: {whole.count(seen):,} targets"
        shown = table(title, "metric", "with it", "without it", "it adds", "p")
        for metric, row in rows.items():
            values = [f"{part.figures[seen][metric]:.4f}" for part in (whole, less)]
            shown.add_row(metric, *values, f"{row.value:+.4f} ({row.low:+.4f} to {row.high:+.4f})", f"{row.p:.4f}")
        tables.append(shown)
    return tables


def _grade(model: "M2Rec", prepared: "Prepared", split: "Part", ranks: "np.ndarray") -> "Grades":
    from m2rec.data.market.generate import cached_market
    from m2rec.evaluation.market import grade

    return grade(model, prepared, cached_market(), split, model.config.max_length, ranks)


def _grades_table(grades: "Grades") -> "Table":
    """One row for each gate weight, then the frequency weight by period and by cycles seen."""
    shown = table(
        "AUC of the gate for each cause",
        "gate",
        "among",
        "model",
        "oracle",
        "weight with",
        "without",
        "targets",
        text=2,
    )
    groups = [(name, "all", row) for name, row in grades.gates.gates.items()]
    groups += [("frequency", f"period {name}", row) for name, row in grades.gates.by_period.items()]
    groups += [("frequency", f"{name} cycles seen", row) for name, row in grades.gates.by_cycles.items()]
    for gate, among, row in groups:
        numbers = [row.auc, row.oracle, row.weight_with, row.weight_without]
        shown.add_row(gate, among, *(f"{number:.3f}" for number in numbers), f"{row.targets:,}")
    return shown


def _hits_table(grades: "Grades") -> "Table":
    """HR@10 by cause, for the model, the fair oracle and a random order."""
    shown = table("HR@10 by cause, history left in", "cause", "model", "oracle", "random", "targets")
    for name, row in grades.hits.items():
        shown.add_row(name, f"{row.model:.4f}", f"{row.oracle:.4f}", f"{row.random:.4f}", f"{row.targets:,}")
    return shown


def _record(
    folder: Path,
    config: "CheckpointConfig",
    found: "Evaluation",
    split: "Part",
    figures: "dict[Seen, dict[str, Figure]]",
    grades: "Grades | None",
    hardware: str,
) -> Path:
    """Write the measurements into the checkpoint's metrics.json. → its path."""
    from m2rec.evaluation.report import GateMeasurement, Measurement, read_metrics, write_metrics

    measured = _measured(config, split, hardware)
    protocol = f"{SPLITS[config.data.split]}; all {config.model.items} items ranked"
    rows = [
        Measurement(model="m2rec", protocol=protocol, seen=seen, figures=rows, targets=found.count(seen), **measured)
        for seen, rows in figures.items()
    ]
    metrics = read_metrics(folder, config.world).with_measurements(rows)
    if grades:
        metrics = metrics.model_copy(
            update={"gates": GateMeasurement(grades=grades, targets=len(found.users), **measured)}
        )
    return write_metrics(folder, metrics)


def _measured(config: "CheckpointConfig", split: "Part", hardware: str) -> dict[str, Any]:
    """Everything needed to repeat a measurement of a checkpoint, by the names of the fields."""
    from m2rec.training.machine import git_revision

    return {
        "split": split,
        "seeds": [config.training.settings["seed"]],
        "hardware": hardware,
        "date": datetime.now(UTC).date(),
        "command": this_command(),
        "revision": git_revision(),
    }


def _data_of(config: "CheckpointConfig") -> "Prepared":
    """The data of a checkpoint: as prepared on this machine, or read again without texts."""
    import numpy as np

    from m2rec.data.prepared import Prepared
    from m2rec.worlds.prepare import prepare_world

    class NoTexts:
        """Evaluation uses the checkpoint's text vectors, so none are computed."""

        def encode(self, texts: "Sequence[str]") -> "np.ndarray":
            return np.zeros((len(texts), 1), dtype=np.float32)

    folder = prepared_folder(config.world)
    prepared = Prepared.load(folder) if folder.is_dir() else prepare_world(find_world(config.world), NoTexts())
    if prepared.fingerprint != config.data.fingerprint:
        raise CheckpointError(
            f"The checkpoint of {config.world} was trained on other data than those on this machine; prepare the same "
            "tables with the same settings, or train again."
        )
    return prepared
