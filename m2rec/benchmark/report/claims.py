"""The paper's two claims, and what the recorded figures say about them in each world."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from m2rec.benchmark.report.comparisons import MAMBAS, METRIC, all_new, best_by_way, only_in
from m2rec.benchmark.report.figures import p_value
from m2rec.benchmark.report.speed_and_load import SPEED
from m2rec.evaluation.benchmark_rows import has_repeat_bias
from m2rec.evaluation.seen import SEEN

TRANSFORMERS = ("sasrec", "sasrec-text", "bsarec")
FAMILIES = {"Mamba recommender": MAMBAS, "Transformer": TRANSFORMERS}
LENGTHS = (200, 1000)  # of the history, for the claim about speed
RATIOS = {"ratio_to_sasrec": "from scratch", "ratio_of_one_more": "for one more item"}


def claims(worlds: Sequence[str], benchmarks: Path) -> list[str]:
    """A Markdown table of both claims in each of `worlds`; empty if nothing is recorded.

    Raises ValueError, TypeError or KeyError when a file is damaged.
    """
    accuracy: dict[str, str] = {}
    speed: dict[str, str] = {}
    for world in worlds:
        if (benchmarks / f"{world}.json").is_file():
            table = _read(benchmarks / f"{world}.json")
            accuracy |= {world: _accuracy(table)} if table["comparisons"] else {}
    if (benchmarks / SPEED).is_file():
        found = _read(benchmarks / SPEED)["worlds"]
        speed = {world: _speed(found[world]) for world in worlds if world in found}
    rows = [("HR@10 3.2 % above Mamba recommenders", world, words) for world, words in accuracy.items()]
    rows += [("answers 20 % faster than a Transformer", world, words) for world, words in speed.items()]
    if not rows:
        return []
    head = ["| the paper's claim | world | found here |", "| --- | --- | --- |"]
    return [*head, *(f"| {claim} | {world} | {words} |" for claim, world, words in rows), ""]


def _accuracy(table: Mapping[str, Any]) -> str:
    rows = {row["model"]: row for row in table["rows"]}
    compared = {(one["against"], one["seen"]): one for one in table["comparisons"] if one["metric"] == METRIC}
    against = list(dict.fromkeys(name for name, _ in compared))
    phrases = []
    for family, kinds in FAMILIES.items():
        best_ones = best_by_way(rows, [name for name in against if rows[name]["kind"] in kinds])
        if not best_ones:
            phrases.append(f"no {family} is trained yet")
        for best, ways in best_ones.items():
            remark = f" ({rows[best]['remark']})" if rows[best].get("remark") else ""
            known = [seen for seen in ways if (best, seen) in compared]
            one_way = only_in(ways)  # said once, of the model
            leads = {seen: _lead(compared[best, seen], "" if one_way else f" {SEEN[seen]}") for seen in known}
            if all_new(table) and set(leads) == set(SEEN) and not has_repeat_bias(rows[best]):
                apart = f"{leads['masked']}; {leads['unmasked']}, where {best} has no repeat bias"
                phrases.append(f"over {best}{remark}, the best {family}: {apart}")
            elif leads:
                phrases.append(f"over {best}{remark}, the best {family}{one_way}: {' and '.join(leads.values())}")
    return "; ".join(phrases)


def _lead(one: Mapping[str, Any], words: str) -> str:
    return f"{100 * one['relative']:+.1f} %{words} ({p_value(one['p'])})"


def _speed(world: Mapping[str, Any]) -> str:
    """SASRec's time ÷ M2Rec's: M2Rec is faster above 1, and as much faster as claimed from 1.2."""
    phrases = []
    for kind, words in RATIOS.items():
        ratios = {int(at): float(ratio) for at, ratio in world[kind].items()}
        known = [f"{ratios[length]:.1f} × after {length:,} items" for length in LENGTHS if length in ratios]
        phrases.append(f"{words} {' and '.join(known) or 'not measured'}")
    return f"SASRec's time ÷ ours: {'; '.join(phrases)}"


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
