"""Tables on the market's test: which models have taken it, and M2Rec in markets that it was not trained for."""

from pathlib import Path

from m2rec.benchmark.report.markdown import line
from m2rec.branches import BRANCHES
from m2rec.evaluation.market_report import BANDS, FOLDER, GAIN, HIT, OTHER_GROUPS, MarketReport, read_reports
from m2rec.evaluation.stress_table import FILE, GradedRow, read_table


def market_tests(benchmarks: Path) -> list[str]:
    """Markdown lines; none if no program has taken the test. Raises DataError when a file is damaged."""
    reports = read_reports(benchmarks / FOLDER)
    path = benchmarks / FILE
    return [*(_takers(reports) if reports else []), *(_stress(path) if path.is_file() else [])]


def _takers(reports: list[MarketReport]) -> list[str]:
    bands = [f"rhythm, {first}–{last} days" for first, last in BANDS]
    heads = [
        "model",
        HIT,
        "of the ceiling",
        GAIN,
        *bands,
        *OTHER_GROUPS,
        "AUC of its attribution: chain, rhythm, taste",
    ]
    first = reports[0]
    ceiling = first.groups["all"].oracle
    oracle = ["the fair oracle", _four(ceiling[HIT]), "100 %", _four(ceiling[GAIN])]
    oracle += [_three(first.rate_of_periods(*band, oracle=True)) for band in BANDS]
    oracle += [_three(first.groups[name].oracle[HIT] if name in first.groups else None) for name in OTHER_GROUPS]
    best = next((report.gates.gates for report in reports if report.gates), {})
    oracle.append(", ".join(_three(gate.oracle if gate else None) for gate in map(best.get, BRANCHES)) if best else "–")
    about = (
        f"{first.groups['all'].targets:,} purchases of the test customers, items of the history left in, "
        f"{HIT} by cause. Each line is a file in `assets/benchmarks/{FOLDER}/`, written by `market grade`."
    )
    lines = ["### Who has taken the market's test", "", about, "", line(heads), line("---" for _ in heads)]
    lines += [line(oracle), *(line(_cells(report)) for report in reports), ""]
    return [*lines, *_notes(reports)]


def _cells(report: MarketReport) -> list[str]:
    whole = report.groups["all"]
    reached = whole.figures[HIT]
    interval = f" ({reached.low:.3f}–{reached.high:.3f})" if reached.low is not None else ""
    share = "–" if whole.share_of_ceiling is None else f"{100 * whole.share_of_ceiling:.1f} %"
    gates = report.gates.gates if report.gates else {}
    return [
        report.name,
        f"{_four(reached.value)}{interval}",
        share,
        _four(whole.figures[GAIN].value),
        *(_three(report.rate_of_periods(*band)) for band in BANDS),
        *(_three(report.rate(name)) for name in OTHER_GROUPS),
        ", ".join(_three(gate.auc if gate else None) for gate in map(gates.get, BRANCHES)) if gates else "–",
    ]


def _notes(reports: list[MarketReport]) -> list[str]:
    """How each model from another library was trained, and how far it is from our model of the same kind."""
    by_name = {report.name: report for report in reports}
    lines = []
    for report in reports:
        about = report.about
        if "compared_with" not in about:
            continue
        planned = about.get("settings", {}).get("epochs", about["epochs"])
        made = (
            f"{report.name}: {about['parameters']:,} parameters, {about['epochs']} of {planned} epochs, best after "
            f"{about['best_epoch']}, {about['hardware']}, {about['date']}, by `{about['command']}`."
        )
        if recommended := about.get("recommended"):
            made += (
                f" RecTools' own `recommend` on {recommended['targets']:,} of the targets: {HIT} "
                f"{_four(recommended[HIT])}, these lists {_four(recommended[f'{HIT} of the lists'])}."
            )
        ours = by_name.get(str(about["compared_with"]))
        if ours:
            theirs, own = report.groups["all"].figures[HIT].value, ours.groups["all"].figures[HIT].value
            apart = theirs / own - 1
            made += f" It is {100 * abs(apart):.1f} % {'above' if apart > 0 else 'below'} our {ours.name}"
            cut = about["epochs"] < planned
            made += ", but the two cannot be compared yet: its training was cut short." if cut else "."
        lines += [made, ""]
    return lines


def _stress(path: Path) -> list[str]:
    table = read_table(path)
    heads = [
        "market",
        HIT,
        "fair oracle",
        "of the ceiling",
        "lost most on",
        "gate AUC (oracle): chain",
        "rhythm",
        "taste",
    ]
    about = (
        f"The shipped weights, without further training, in markets with other settings: {table.tested:,} "
        f"test customers in each, the fair oracle of the same market, and the cause on which most is lost. "
        f"{table.hardware}, {table.date}, by `{table.command}`."
    )
    lines = ["### Where M2Rec breaks", "", about, "", line(heads), line("---" for _ in heads)]
    return [*lines, *(line(_stressed(row)) for row in table.rows), ""]


def _stressed(row: GradedRow) -> list[str]:
    whole = row.groups["all"]
    reached = whole.figures[HIT]
    interval = f" ({reached.low:.3f}–{reached.high:.3f})" if reached.low is not None else ""
    share = "–" if whole.share_of_ceiling is None else f"{100 * whole.share_of_ceiling:.1f} %"
    gates = row.gates.gates if row.gates else {}
    graded = map(gates.get, BRANCHES)
    aucs = ["–" if gate is None else f"{_three(gate.auc)} ({_three(gate.oracle)})" for gate in graded]
    return [row.name, f"{_four(reached.value)}{interval}", _four(whole.oracle[HIT]), share, _most_lost(row), *aucs]


def _most_lost(row: GradedRow) -> str:
    """The cause on which most is lost, with HR@10 of the model and of the oracle."""
    cause = row.most_lost()
    if cause is None:
        return "–"
    group = row.groups[cause]
    return f"{cause}: {_three(group.figures[HIT].value)} of {_three(group.oracle[HIT])}"


def _four(value: float) -> str:
    return f"{value:.4f}"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
