"""Write the results in README.md and RESULTS.md from the recorded figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from m2rec.atomic import atomic_file
from m2rec.benchmark.report.baselines import Shipped, baselines, without_checkpoint
from m2rec.benchmark.report.claims import claims
from m2rec.benchmark.report.comparisons import METRIC
from m2rec.benchmark.report.figures import cell, gain, p_value
from m2rec.benchmark.report.learning_curve import curve
from m2rec.benchmark.report.market import market_tests
from m2rec.benchmark.report.rows import SHOWN
from m2rec.benchmark.report.speed_and_load import speed_and_load
from m2rec.benchmark.report.summary import SUMMARY_HEAD, summary, texts_note
from m2rec.branches import CAUSE_OF
from m2rec.checkpoint import CheckpointConfig, TrainingRecord
from m2rec.errors import DataError
from m2rec.evaluation.ranks import OF_CHECKPOINT, Ranks, checkpoint_key, load_ranks
from m2rec.evaluation.report import FILE, Figure, GateMeasurement, Measurement, MetricsFile, Removal, read_metrics
from m2rec.evaluation.seen import SEEN
from m2rec.worlds.settings import load_world

HEAD = """# Results

All recorded figures. `python -m m2rec benchmark readme` writes this file from `assets/benchmarks/` and the
checkpoints' `metrics.json`. Beside each table is the command that measured it.

HR@10 is the share of targets among the first ten items. NDCG@10 gives more weight to higher ranks, and MRR@10 is the
mean of 1/rank; both count nothing below rank 10. *Left in* ranks every target among all items. *Taken out* ranks only
targets that are new to their users, among the items that are new to them. (A repeated target would be the only item of
its history in that list, which would give it away.)
"""
TABLE_HEAD = (
    f"| model | items of the history | {' | '.join(SHOWN)} | seeds |",
    f"| --- | --- | {' | '.join('---' for _ in SHOWN)} | --- |",
)
START, END = "<!-- results -->", "<!-- /results -->"
BY_CAUSE = (
    "HR@10 by the cause of the purchase; arrivals are products that no training customer bought. The oracle is the "
    "best prediction over all purchases; within one group a model may be above it:"
)


@dataclass(frozen=True)
class Recorded:
    """A world's checkpoint with its figures on the test part."""

    folder: Path
    config: CheckpointConfig
    metrics: MetricsFile

    @property
    def reached(self) -> dict[str, Measurement]:
        """M2Rec's figures, by "unmasked" and "masked"."""
        return {one.seen: one for one in self.metrics.measurements if one.model == "m2rec"}

    @property
    def ranks(self) -> list[Ranks]:
        """M2Rec's ranks of the test targets; none where they are not kept."""
        path = self.folder / OF_CHECKPOINT
        return [load_ranks(path, checkpoint_key(self.config))] if path.is_file() else []

    @property
    def oracle(self) -> dict[str, float] | None:
        """The fair oracle's figures by metric, or None in a world without an oracle."""
        return self.metrics.gates.grades.oracle if self.metrics.gates else None


def results(checkpoints: Path, benchmarks: Path) -> str:
    """Markdown: the paper's claims; a table with baselines and ablations for each world with recorded figures, in
    alphabetical order; then the market's test, the learning curve, speed and load. Raises DataError for damaged files.
    """
    worlds = _recorded(checkpoints)
    parts = [line for one in worlds for line in _world(one, benchmarks)]
    others = without_checkpoint(benchmarks, [one.config.world for one in worlds])
    parts += [line for world, targets in others.items() for line in _plan_alone(world, targets, benchmarks)]
    first = _claims(worlds, benchmarks, others)
    return "\n".join([*first, *parts, *market_tests(benchmarks), *curve(benchmarks), *speed_and_load(benchmarks)])


def overview(checkpoints: Path, benchmarks: Path) -> str:
    """Markdown: the claims, and M2Rec, the best Mamba and the best Transformer in each world. Raises DataError."""
    worlds = _recorded(checkpoints)
    try:
        rows = [row for one in worlds for row in summary(one.config.world, one.reached, benchmarks, one.oracle)]
        note = texts_note([one.config.world for one in worlds], benchmarks)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"A file in {benchmarks} is not a readable table ({error}); make it again.") from error
    others = without_checkpoint(benchmarks, [one.config.world for one in worlds])
    return "\n".join([*_claims(worlds, benchmarks, others), *SUMMARY_HEAD, *rows, "", *note])


def write_results(readme: Path, tables: Path, checkpoints: Path, benchmarks: Path) -> None:
    """Write the overview between the marks in `readme`, and all tables into the file `tables`.

    Raises DataError when the marks are missing or a recorded file is damaged.
    """
    text = readme.read_text(encoding="utf-8")
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise DataError(f"{readme} must have {START} and {END} once each, in this order, to hold the results.")
    before, after = text.split(START)[0], text.split(END)[1]
    whole, first = results(checkpoints, benchmarks), overview(checkpoints, benchmarks)
    with atomic_file(tables) as temporary:
        temporary.write_text(f"{HEAD}\n{whole}", encoding="utf-8")
    with atomic_file(readme) as temporary:
        temporary.write_text(f"{before}{START}\n{first}\n{END}{after}", encoding="utf-8")


def _recorded(checkpoints: Path) -> list[Recorded]:
    found = []
    for folder in sorted(path for path in checkpoints.iterdir() if (path / FILE).is_file()):
        config = CheckpointConfig.model_validate_json((folder / "config.json").read_text(encoding="utf-8"))
        found.append(Recorded(folder, config, _of_test(read_metrics(folder, config.world))))
    return [one for one in found if one.metrics.measurements]


def _claims(worlds: Sequence[Recorded], benchmarks: Path, others: Iterable[str]) -> list[str]:
    try:
        return claims(sorted([*(one.config.world for one in worlds), *others]), benchmarks)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"A file in {benchmarks} is not a readable table ({error}); make it again.") from error


def _of_test(metrics: MetricsFile) -> MetricsFile:
    """Only the measurements on the test part; those on validation serve to choose settings."""
    gates = metrics.gates if metrics.gates and metrics.gates.split == "test" else None
    measurements = [one for one in metrics.measurements if one.split == "test"]
    return metrics.model_copy(update={"measurements": measurements, "gates": gates})


def _epochs(record: TrainingRecord | None) -> list[int]:
    """The epochs of each run that led to these weights, in order."""
    return [] if record is None else [*_epochs(record.before), record.epochs]


def _world(recorded: Recorded, benchmarks: Path) -> list[str]:
    config, metrics = recorded.config, recorded.metrics
    first = metrics.measurements[0]
    figures: dict[str, dict[str, float]] = {
        seen: {name: figure.value for name, figure in one.figures.items()} for seen, one in recorded.reached.items()
    }
    new = [measured.targets for measured in metrics.measurements if measured.seen == "masked"]
    part = f" ({new[0]:,} of them new to their users)" if new and new[0] != first.targets else ""
    where = f"trained on {config.trained_on}, measured on {first.hardware}, {first.date}, by `{first.command}`"
    others = baselines(
        config.world, benchmarks, first.targets, Shipped(figures, _epochs(config.training), recorded.ranks)
    )
    lines = [
        f"### {config.world}",
        "",
        f"{first.protocol}; {first.targets:,} {first.split} targets{part}; {where}. 95 % intervals over users.",
        "",
        *TABLE_HEAD,
    ]
    lines += [_row(measurement) for measurement in metrics.measurements]
    lines += [_line(row.model, SEEN[row.seen], row.cells, row.seeds) for row in others.rows]
    removals = _removals(metrics.current_removals)
    return [*lines, "", *others.notes, *removals, *(_gates(metrics.gates) if metrics.gates else [])]


def _plan_alone(world: str, targets: int, benchmarks: Path) -> list[str]:
    """A world without a checkpoint: all of its models were trained by its plan."""
    found = baselines(world, benchmarks, targets, shipped=None)
    rows = [_line(row.model, SEEN[row.seen], row.cells, row.seeds) for row in found.rows]
    first = f"{load_world(world).description}. No checkpoint is shipped; {targets:,} test targets."
    return [f"### {world}", "", first, "", *TABLE_HEAD, *rows, "", *found.notes]


def _row(measured: Measurement) -> str:
    return _line(
        measured.model, SEEN[measured.seen], [_cell(measured.figures[name]) for name in SHOWN], len(measured.seeds)
    )


def _line(model: str, seen: str, cells: list[str], seeds: int) -> str:
    return f"| {model} | {seen} | {' | '.join(cells)} | {seeds} |"


def _cell(figure: Figure) -> str:
    return cell(figure.value, low=figure.low, high=figure.high)


def _removals(removals: Sequence[Removal]) -> list[str]:
    """A Markdown table of what each branch of the shipped model adds; empty if that was not measured."""
    if not removals:
        return []
    lines = [
        "What each branch of the shipped model adds: the same weights without it, its gate weight given to the others.",
        "",
        f"| switched off | items of the history | {METRIC} without it | it adds | command |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in removals:
        adds = one.adds[METRIC]
        added = f"{gain(adds.value, adds.low, adds.high)}, {p_value(adds.p)}"
        lines.append(f"| {one.branch} | {SEEN[one.seen]} | {_cell(one.figures[METRIC])} | {added} | `{one.command}` |")
    return [*lines, ""]


def _gates(measured: GateMeasurement) -> list[str]:
    oracle = measured.grades.oracle
    ceiling = f"HR@10 {oracle['HR@10']:.4f} and NDCG@10 {oracle['NDCG@10']:.4f} on the same targets"
    lines = [
        f"The fair oracle, which knows the process but must infer the customer, reaches {ceiling}.",
        "Does the gate recognise causes? The AUC of each weight for its cause:",
        "",
        "| gate | cause | model | fair oracle | weight before the cause | before others |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in measured.grades.gates.gates.items():
        limit = "–" if row.oracle is None else f"{row.oracle:.3f}"
        weights = f"{row.weight_with:.2f} | {row.weight_without:.2f}"
        lines.append(f"| {name} | {CAUSE_OF[name]} | {row.auc:.3f} | {limit} | {weights} |")
    lines += [
        "",
        BY_CAUSE,
        "",
        "| cause | targets | model | fair oracle | at random |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, hits in measured.grades.hits.items():
        lines.append(f"| {name} | {hits.targets:,} | {hits.model:.3f} | {hits.oracle:.3f} | {hits.random:.3f} |")
    return [*lines, ""]
