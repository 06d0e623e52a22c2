"""`python -m m2rec evaluate WORLD`"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.places import find_checkpoint, find_world, this_command
from m2rec.data.cache import prepared_folder
from m2rec.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from m2rec.checkpoint import CheckpointConfig
    from m2rec.data.prepared import Prepared
    from m2rec.evaluation.protocol import Evaluation, Seen
    from m2rec.evaluation.report import Figure

SPLITS = {
    "leave-one-out": "leave-one-out: each user's last event, the one before it for validation",
    "by-user": "users never trained on, each of their events after the first weeks",
    "global-temporal": "one clock for everybody: the newest events, those just before them for validation",
}


def evaluate(
    world: Annotated[
        str | None,
        typer.Argument(help="A world's name or a checkpoint folder; the first checkpoint there is, if not said."),
    ] = None,
    split: Annotated[Literal["validation", "test"], typer.Option(help="Which targets.")] = "test",
    record: Annotated[
        bool, typer.Option("--record", help="Also write the figures into the checkpoint's metrics.json.")
    ] = False,
    cpu: Annotated[bool, typer.Option("--cpu", help="Use the CPU even where there is a GPU.")] = False,
    json_file: Json = None,
) -> None:
    """Rank every held-out event among all items and print HR, NDCG and MRR with 95 % intervals over users.

    Twice: with the items of each history left in ("unmasked") and taken out ("masked"). Nothing is sampled.
    """
    import torch

    from m2rec.checkpoint import Checkpoint
    from m2rec.evaluation import protocol
    from m2rec.evaluation.report import Measurement, read_metrics, write_metrics
    from m2rec.training.machine import device_name, git_revision

    folder = find_checkpoint(world)
    checkpoint = Checkpoint.load(folder)
    config = checkpoint.config
    prepared = _data_of(config)
    device = torch.device("cuda" if torch.cuda.is_available() and not cpu else "cpu")
    found = protocol.evaluate(checkpoint.model().to(device), prepared, split, config.model.max_length)
    figures = {seen: _with_intervals(found, seen) for seen in found.ranks}

    if record:
        measured = [
            Measurement(
                model="m2rec",
                protocol=f"{SPLITS[config.data.split]}; all {prepared.item_count} items ranked",
                split=split,
                seen=seen,
                seeds=[config.training.settings["seed"]],
                targets=len(found.users),
                figures=figures[seen],
                hardware=device_name(device),
                date=datetime.now(UTC).date(),
                command=this_command(),
                revision=git_revision(),
            )
            for seen in figures
        ]
        written = write_metrics(folder, read_metrics(folder, config.world).with_measurements(measured))
        say(f"Recorded in {written}.")
    shown = table(
        f"{config.world}, {split}: {len(found.users):,} targets, {prepared.item_count:,} items", "metric", *figures
    )
    for metric in figures["unmasked"]:
        shown.add_row(metric, *(_cell(rows[metric]) for rows in figures.values()))
    show(found.figures, json_file, shown)


def _data_of(config: "CheckpointConfig") -> "Prepared":
    """The data that a checkpoint belongs to: as prepared here, or read anew. Its texts are not needed for that."""
    import numpy as np

    from m2rec.data.prepared import Prepared
    from m2rec.worlds.prepare import prepare_world

    class NoTexts:
        """Evaluation takes the text vectors from the checkpoint, so none are computed."""

        def encode(self, texts: "Sequence[str]") -> "np.ndarray":
            return np.zeros((len(texts), 1), dtype=np.float32)

    folder = prepared_folder(config.world)
    prepared = Prepared.load(folder) if folder.is_dir() else prepare_world(find_world(config.world), NoTexts())
    if prepared.fingerprint != config.data.fingerprint:
        raise CheckpointError(
            f"The data of {config.world} on this machine is not what its checkpoint was trained on; prepare the same "
            "tables with the same settings, or train again."
        )
    return prepared


def _with_intervals(found: "Evaluation", seen: "Seen") -> "dict[str, Figure]":
    from m2rec.evaluation.bootstrap import mean_interval
    from m2rec.evaluation.metrics import METRICS, outcomes
    from m2rec.evaluation.report import Figure

    figures = {}
    for metric in METRICS:
        interval = mean_interval(outcomes(found.ranks[seen], metric), found.users)
        figures[metric] = Figure(value=interval.value, low=interval.low, high=interval.high)
    return figures


def _cell(figure: "Figure") -> str:
    return f"{figure.value:.4f}  ({figure.low:.4f}–{figure.high:.4f})"
