"""The README's results, written from the recorded figures alone."""

from pathlib import Path

from m2rec.atomic import atomic_file
from m2rec.benchmark.report.baselines import SHOWN, Shipped, baselines
from m2rec.benchmark.report.claims import claims
from m2rec.benchmark.report.figures import SEEN, cell
from m2rec.benchmark.report.learning_curve import curve
from m2rec.benchmark.report.market import market_tests
from m2rec.benchmark.report.speed_and_load import speed_and_load
from m2rec.branches import CAUSES
from m2rec.checkpoint import CheckpointConfig, TrainingRecord
from m2rec.errors import DataError
from m2rec.evaluation.report import FILE, Figure, GateMeasurement, Measurement, MetricsFile, read_metrics

START, END = "<!-- results -->", "<!-- /results -->"
BY_CAUSE = (
    "HR@10 by what was behind the purchase; arrivals are products that no training customer ever bought. The oracle is "
    "the best forecast over all purchases together; within one group a model may be above it:"
)


def results(checkpoints: Path, benchmarks: Path) -> str:
    """Markdown: the paper's claims beside what was found; one table a world that has recorded figures, in alphabetical
    order, with baselines and ablations; then the market's test, the learning curve, speed and load.
    """
    parts, worlds = [], []
    for folder in sorted(path for path in checkpoints.iterdir() if (path / FILE).is_file()):
        config = CheckpointConfig.model_validate_json((folder / "config.json").read_text(encoding="utf-8"))
        worlds.append(config.world)
        parts += _world(config, _of_test(read_metrics(folder, config.world)), benchmarks)
    try:
        first = claims(worlds, benchmarks)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"A file in {benchmarks} is not a readable table ({error}); make it again.") from error
    return "\n".join([*first, *parts, *market_tests(benchmarks), *curve(benchmarks), *speed_and_load(benchmarks)])


def write_results(readme: Path, checkpoints: Path, benchmarks: Path) -> None:
    """Put the results between their marks in `readme`. Raises DataError where the marks are missing."""
    text = readme.read_text(encoding="utf-8")
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise DataError(f"{readme} must have {START} and {END} once each, in this order, to hold the results.")
    before, after = text.split(START)[0], text.split(END)[1]
    with atomic_file(readme) as temporary:
        temporary.write_text(f"{before}{START}\n{results(checkpoints, benchmarks)}\n{END}{after}", encoding="utf-8")


def _of_test(metrics: MetricsFile) -> MetricsFile:
    """Without what was measured on validation, by which settings are chosen."""
    gates = metrics.gates if metrics.gates and metrics.gates.split == "test" else None
    measurements = [one for one in metrics.measurements if one.split == "test"]
    return metrics.model_copy(update={"measurements": measurements, "gates": gates})


def _epochs(record: TrainingRecord | None) -> list[int]:
    """Of each run that led to the weights, the first one first."""
    return [] if record is None else [*_epochs(record.before), record.epochs]


def _world(config: CheckpointConfig, metrics: MetricsFile, benchmarks: Path) -> list[str]:
    if not metrics.measurements:
        return []
    first = metrics.measurements[0]
    figures: dict[str, dict[str, float]] = {
        one.seen: {name: figure.value for name, figure in one.figures.items()}
        for one in metrics.measurements
        if one.model == "m2rec"
    }
    new = [measured.targets for measured in metrics.measurements if measured.seen == "masked"]
    part = f" ({new[0]:,} of them new to their users)" if new and new[0] != first.targets else ""
    where = f"trained on {config.trained_on}, measured on {first.hardware}, {first.date}, by `{first.command}`"
    others = baselines(config.world, benchmarks, first.targets, Shipped(figures, _epochs(config.training)))
    lines = [
        f"### {config.world}",
        "",
        f"{first.protocol}; {first.targets:,} {first.split} targets{part}; {where}. 95 % intervals over users.",
        "",
        f"| model | items of the history | {' | '.join(SHOWN)} | seeds |",
        f"| --- | --- | {' | '.join('---' for _ in SHOWN)} | --- |",
    ]
    lines += [_row(measurement) for measurement in metrics.measurements]
    lines += [_line(row.model, SEEN[row.seen], row.cells, row.seeds) for row in others.rows]
    return [*lines, "", *others.notes, *(_gates(metrics.gates) if metrics.gates else [])]


def _row(measured: Measurement) -> str:
    return _line(
        measured.model, SEEN[measured.seen], [_cell(measured.figures[name]) for name in SHOWN], len(measured.seeds)
    )


def _line(model: str, seen: str, cells: list[str], seeds: int) -> str:
    return f"| {model} | {seen} | {' | '.join(cells)} | {seeds} |"


def _cell(figure: Figure) -> str:
    return cell(figure.value, low=figure.low, high=figure.high)


def _gates(measured: GateMeasurement) -> list[str]:
    oracle = measured.grades.oracle
    ceiling = f"HR@10 {oracle['HR@10']:.4f} and NDCG@10 {oracle['NDCG@10']:.4f} on the same targets"
    lines = [
        f"The fair oracle, which knows the process but must infer the customer, reaches {ceiling}.",
        "Does the gate know why? AUC of each weight against its cause:",
        "",
        "| gate | cause | model | fair oracle | weight before the cause | before others |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in measured.grades.gates.gates.items():
        limit = "–" if row.oracle is None else f"{row.oracle:.3f}"
        weights = f"{row.weight_with:.2f} | {row.weight_without:.2f}"
        lines.append(f"| {name} | {CAUSES[name]} | {row.auc:.3f} | {limit} | {weights} |")
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
