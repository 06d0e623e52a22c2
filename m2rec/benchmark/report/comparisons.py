"""M2Rec compared with each baseline and with itself without each part, from the table of `accuracy/table.py`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from m2rec.benchmark.accuracy.plan import Plan
from m2rec.benchmark.report.figures import figure, gain, p_value
from m2rec.evaluation.benchmark_rows import has_repeat_bias
from m2rec.evaluation.seen import SEEN, Seen, nothing_twice

METRIC = "HR@10"
CHOSEN_BY = "NDCG@10"  # on validation, as in early stopping
MAMBAS = ("mamba2", "mamba4rec")
TEXT_READERS = ("sasrec-text",)

NEVER_TWICE = (
    "No target here is an item of the history. With these items left in, M2Rec's learned repeat bias ranks them low, "
    "which these models cannot do"
)

Rows = Mapping[str, Mapping[str, Any]]
Comparisons = Sequence[Mapping[str, Any]]


def leads(rows: Rows, table: Mapping[str, Any], plan: Plan) -> list[str]:
    """A Markdown table of M2Rec's lead over each baseline, with items of the history left in and taken out."""
    baselines = [entry.name for entry in plan.entries if not entry.ablates and entry.name != plan.reference]
    found = {(one["against"], one["seen"]): one for one in table["comparisons"] if one["metric"] == METRIC}
    shown = [name for name in baselines if (name, "unmasked") in found]
    if not shown:
        return []
    ways = [seen for seen in SEEN if all((name, seen) in found for name in shown)]
    mambas = [name for name in shown if rows[name]["kind"] in MAMBAS]
    best = {seen: best_on_validation(rows, mambas, seen) for seen in ways}
    which = "of M2Rec as shipped" if table.get("compared") == "checkpoint" else "of M2Rec"
    lines = [f"Lead {which} in {METRIC} over each of them, paired over users{_seeds(rows, shown)}:", ""]
    lines += [f"| over | {' | '.join(SEEN[seen] for seen in ways)} |", "| --- |" + " --- |" * len(ways)]
    for name in shown:
        cells = [lead(found[name, seen]) + " (the best Mamba)" * (best[seen] == name) for seen in ways]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    chosen = f"The best Mamba is the one with the highest {CHOSEN_BY} on validation, left in and taken out."
    unfair = [name for name in shown if not has_repeat_bias(rows[name])]
    return [
        *lines,
        "",
        *([chosen, ""] if any(best.values()) else []),
        *(
            [f"{NEVER_TWICE}: {', '.join(unfair)}. With them taken out, this makes no difference.", ""]
            if all_new(table) and unfair
            else []
        ),
    ]


def all_new(table: Mapping[str, Any]) -> bool:
    """Whether every target of a benchmark table is new to its user."""
    return nothing_twice(table.get("targets"), table.get("new_targets"))


def cut_short(row: Mapping[str, Any]) -> bool:
    """Whether the best epoch was the last one allowed, so that more epochs might help."""
    return bool(row["epochs"]) and max(row["epochs"]) >= row["training"]["epochs"]


def stopped(row: Mapping[str, Any]) -> bool:
    """Whether training was stopped by hand, with epochs and patience left."""
    limits = row["training"]
    ended = zip(row["trained_epochs"], row["epochs"], strict=True)
    return any(0 < last < limits["epochs"] and last - best < limits["patience"] for last, best in ended)


def without_texts(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether none of these baselines reads the items' texts. M2Rec does, so a lead may come from the texts alone."""
    return not any(row["kind"] in TEXT_READERS for row in rows)


def parts(rows: Rows, comparisons: Comparisons, plan: Plan) -> list[str]:
    """A Markdown table of M2Rec without each of its parts, and what is lost; empty if no ablation is trained."""
    removed = [entry for entry in plan.entries if entry.ablates and entry.name in rows]
    if not removed:
        return []
    lost = {(one["against"], one["seen"]): one for one in comparisons if one["metric"] == METRIC}
    ways = [seen for seen in SEEN if all(seen in rows[entry.name] for entry in removed)]
    names = [plan.reference, *(entry.name for entry in removed)]
    lines = [f"What each part is worth{_budget(plan)}{_seeds(rows, [name for name in names if name in rows])}:", ""]
    heads = [head for seen in ways for head in (f"{METRIC}, {SEEN[seen]}", "lost")]
    lines += [f"| removed from M2Rec | {' | '.join(heads)} |", "| --- |" + " --- |" * len(heads)]
    for name, words in [(plan.reference, "nothing"), *((entry.name, entry.ablates) for entry in removed)]:
        if name in rows:
            cells = [
                cell for seen in ways for cell in (figure(rows[name], seen, METRIC), _loss(lost.get((name, seen))))
            ]
            lines.append(f"| {words} | {' | '.join(cells)} |")
    return [*lines, ""]


def best_on_validation(rows: Rows, names: Sequence[str], seen: str) -> str | None:
    """The best of `names` on validation, or None if none of them has such figures."""
    place = "validation" if seen == "unmasked" else "validation_masked"
    known = [name for name in names if place in rows[name]]
    return max(known, key=lambda name: rows[name][place][CHOSEN_BY], default=None)


def best_by_way(rows: Rows, names: Sequence[str]) -> dict[str, list[Seen]]:
    """The best of `names` on validation: one for both ways to rank, or one for each. Empty if there is none.

    Where the figures with seen items taken out are not known, the best with them left in stands for both.
    """
    found: dict[str, list[Seen]] = {}
    for seen in SEEN:
        best = best_on_validation(rows, names, seen) or best_on_validation(rows, names, "unmasked")
        if best is not None:
            found.setdefault(best, []).append(seen)
    return found


def only_in(ways: Sequence[Seen]) -> str:
    """Said of a model that is the best of its family in one way to rank only."""
    return "" if len(ways) == len(SEEN) else f" {' and '.join(SEEN[seen] for seen in ways)}"


def lead(one: Mapping[str, Any]) -> str:
    """A comparison in words: the difference with its interval, relative to the other model, and its p."""
    relative = "" if one["relative"] is None else f", {100 * one['relative']:+.1f} %"
    return f"{gain(one['difference'], one['low'], one['high'])}{relative}, {p_value(one['p'])}"


def _loss(one: Mapping[str, Any] | None) -> str:
    return "–" if one is None else f"{one['difference']:+z.4f} ({p_value(one['p'])})"


def _budget(plan: Plan) -> str:
    epochs = plan.training.get("epochs")
    return "" if epochs is None else f", all trained for {epochs} epoch{'s' * (epochs > 1)}"


def _seeds(rows: Rows, names: Sequence[str]) -> str:
    fewest = min((len(rows[name]["seeds"]) for name in names), default=0)
    most = max((len(rows[name]["seeds"]) for name in names), default=0)
    number = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return f" ({number} seed{'s' * (most > 1)})"
