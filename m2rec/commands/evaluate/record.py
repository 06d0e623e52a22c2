"""What `evaluate --record` writes into a checkpoint's folder, each figure with what is needed to repeat it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from m2rec.branches import BranchName
from m2rec.commands.places import this_command

if TYPE_CHECKING:
    from m2rec.checkpoint import CheckpointConfig
    from m2rec.evaluation.bootstrap import Difference
    from m2rec.evaluation.protocol import Evaluation, Part
    from m2rec.evaluation.report import Figure, Grades
    from m2rec.evaluation.seen import Seen

SPLITS = {
    "leave-one-out": "leave-one-out: each user's last event, the one before it for validation",
    "by-user": "users not trained on, each of their events after the first weeks",
    "global-temporal": "one clock for everybody: the newest events, those just before them for validation",
}


@dataclass(frozen=True)
class Evaluated:
    """A checkpoint whose targets of one split are ranked, and the device that ranked them."""

    folder: Path
    config: "CheckpointConfig"
    split: "Part"
    found: "Evaluation"
    hardware: str

    def origin(self) -> dict[str, Any]:
        """Everything needed to repeat the measurement, by the names of the fields in metrics.json."""
        from m2rec.training.machine import git_revision

        return {
            "split": self.split,
            "seeds": [self.config.training.settings["seed"]],
            "hardware": self.hardware,
            "date": datetime.now(UTC).date(),
            "command": this_command(),
            "revision": git_revision(),
        }


def record_figures(one: Evaluated, figures: "dict[Seen, dict[str, Figure]]", grades: "Grades | None") -> Path:
    """Write the figures into the checkpoint's metrics.json and, of test targets, the ranks beside it. → the first."""
    from m2rec.evaluation.ranks import OF_CHECKPOINT, checkpoint_key, save_ranks
    from m2rec.evaluation.report import GateMeasurement, Measurement, read_metrics, write_metrics

    if one.split == "test":
        save_ranks(one.folder / OF_CHECKPOINT, one.found, checkpoint_key(one.config))
    origin = one.origin()
    protocol = f"{SPLITS[one.config.data.split]}; all {one.config.model.items} items ranked"
    rows = [
        Measurement(
            model="m2rec", protocol=protocol, seen=seen, figures=reached, targets=one.found.count(seen), **origin
        )
        for seen, reached in figures.items()
    ]
    metrics = read_metrics(one.folder, one.config.world).with_measurements(rows)
    if grades:
        measured = GateMeasurement(grades=grades, targets=len(one.found.users), **origin)
        metrics = metrics.model_copy(update={"gates": measured})
    return write_metrics(one.folder, metrics)


def record_removal(
    one: Evaluated, branch: BranchName, less: "Evaluation", added: "dict[Seen, dict[str, Difference]]"
) -> Path:
    """Write into the checkpoint's metrics.json what is `less` without the branch, and what it `added`. → its path."""
    from m2rec.evaluation.figures import with_intervals
    from m2rec.evaluation.report import Advantage, Removal, read_metrics, write_metrics

    figures, origin = with_intervals(less), one.origin()
    removals = [
        Removal(
            branch=branch,
            seen=seen,
            targets=less.count(seen),
            figures=figures[seen],
            adds={metric: Advantage(**vars(row)) for metric, row in rows.items()},
            **origin,
        )
        for seen, rows in added.items()
    ]
    return write_metrics(one.folder, read_metrics(one.folder, one.config.world).with_removals(removals))
