"""The market's test: its three commands, which programs have taken it, and where M2Rec breaks. From recorded files."""

from dataclasses import dataclass

from m2rec.branches import CAUSE_OF
from m2rec.errors import DataError
from m2rec.evaluation.market_report import (
    BANDS,
    FOLDER,
    HIT,
    OTHER_GROUPS,
    MarketReport,
    PredictionGrades,
    read_reports,
)
from m2rec.evaluation.stress_table import FILE, GradedRow, StressTable, read_table
from m2rec.paths import benchmarks_of
from m2rec.ui.panels.standing import Standing
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.world_names import MARKET

OURS = "m2rec"  # the name of this project's model in the reports


@dataclass(frozen=True)
class Row:
    """One program: its bar, and its other figures as text."""

    standing: Standing
    cells: list[str]


def market_test(context: PageContext) -> str:
    """The section. Tables without recorded figures are left out."""
    folder = next((world.folder for world in context.worlds if world.name == MARKET), None)
    rows: list[Row] = []
    stress: StressTable | None = None
    note = None
    if folder:
        benchmarks = benchmarks_of(folder)
        try:
            rows = takers(read_reports(benchmarks / FOLDER))
            path = benchmarks / FILE
            stress = read_table(path) if path.is_file() else None
        except DataError as error:
            note = str(error)
    return render(
        "sections/test.html.j2",
        rows=rows,
        heads=[*(f"rhythm, {first}–{last} days" for first, last in BANDS), *OTHER_GROUPS],
        causes=list(CAUSE_OF.values()),
        stressed=[_stressed(row) for row in stress.rows] if stress else [],
        tested=stress.tested if stress else 0,
        note=note,
    )


def takers(reports: list[MarketReport]) -> list[Row]:
    """The fair oracle first, then every program, best first."""
    if not reports:
        return []
    first = reports[0]
    graded = next((report.gates.gates for report in reports if report.gates), {})
    ceiling = Standing("fair oracle: the ceiling", first.groups["all"].oracle[HIT], kind="ceiling")
    found = [Row(ceiling, [*_rates(first, oracle=True), *(_three(graded[branch].oracle) for branch in graded)])]
    for report in reports:
        reached = report.groups["all"].figures[HIT]
        kind = "ours" if report.name == OURS else ""
        gates = report.gates.gates if report.gates else {}
        aucs = [_three(gates[branch].auc if branch in gates else None) for branch in graded]
        standing = Standing(report.name, reached.value, reached.low, reached.high, kind)
        found.append(Row(standing, [*_rates(report), *aucs]))
    return found


def _rates(grades: PredictionGrades, *, oracle: bool = False) -> list[str]:
    """HR@10 by band of periods and by the other causes."""
    bands = [grades.rate_of_periods(*band, oracle=oracle) for band in BANDS]
    groups = [grades.groups.get(name) for name in OTHER_GROUPS]
    others = [None if one is None else one.oracle[HIT] if oracle else one.figures[HIT].value for one in groups]
    return [_three(value) for value in (*bands, *others)]


def _stressed(row: GradedRow) -> list[str]:
    whole = row.groups["all"]
    share = "–" if whole.share_of_ceiling is None else f"{100 * whole.share_of_ceiling:.1f} %"
    gates = row.gates.gates if row.gates else {}
    aucs = [_three(gates[branch].auc if branch in gates else None) for branch in CAUSE_OF]
    cause = row.most_lost()
    lost = "–"
    if cause:
        lost = f"{cause}: {row.groups[cause].figures[HIT].value:.3f} of {row.groups[cause].oracle[HIT]:.3f}"
    return [row.name, f"{whole.figures[HIT].value:.4f}", f"{whole.oracle[HIT]:.4f}", share, lost, *aucs]


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
