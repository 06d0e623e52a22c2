"""The figures of `evaluate` as tables on the terminal."""

from typing import TYPE_CHECKING

from m2rec.branches import BranchName
from m2rec.commands.output import figure_cell, table
from m2rec.evaluation.seen import SEEN

if TYPE_CHECKING:
    from rich.table import Table

    from m2rec.evaluation.bootstrap import Difference
    from m2rec.evaluation.protocol import Evaluation
    from m2rec.evaluation.report import Figure, Grades
    from m2rec.evaluation.seen import Seen


def figures_table(title: str, found: "Evaluation", figures: "dict[Seen, dict[str, Figure]]") -> "Table":
    """One row for each metric, with intervals."""
    shown = table(title, "metric", *(SEEN[seen] for seen in figures))
    for metric in figures["unmasked"]:
        shown.add_row(metric, *(figure_cell(rows[metric]) for rows in figures.values()))
    if "masked" in figures and found.count("masked") < len(found.users):
        shown.caption = f"{SEEN['masked']}: {found.count('masked'):,} targets, those that are new to their users"
    return shown


def without_tables(
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


def grades_table(grades: "Grades") -> "Table":
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


def hits_table(grades: "Grades") -> "Table":
    """HR@10 by cause, for the model, the fair oracle and a random order."""
    shown = table("HR@10 by cause, history left in", "cause", "model", "oracle", "random", "targets")
    for name, row in grades.hits.items():
        shown.add_row(name, f"{row.model:.4f}", f"{row.oracle:.4f}", f"{row.random:.4f}", f"{row.targets:,}")
    return shown
