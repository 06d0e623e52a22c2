"""Rows of RESULTS.md for models of other projects, how they were made, and M2Rec's lead over them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from m2rec.benchmark.accuracy.plan import Plan
from m2rec.benchmark.accuracy.result import Result
from m2rec.benchmark.accuracy.table import comparison
from m2rec.benchmark.report.comparisons import METRIC, lead
from m2rec.benchmark.report.figures import cell
from m2rec.benchmark.report.rows import SHOWN, Baselines, Row
from m2rec.errors import DataError
from m2rec.evaluation.peers import Peer, read_peers
from m2rec.evaluation.ranks import Ranks, load_ranks
from m2rec.evaluation.seen import SEEN, Seen


def peers_of(world: str, benchmarks: Path, targets: int, ours: Sequence[Ranks]) -> Baselines:
    """Rows and notes for the models in `peers/<world>.json`; `ours` are M2Rec's ranks of the same targets, by seed.

    Raises DataError for damaged files and for other targets.
    """
    found = read_peers(benchmarks, world)
    if any(one.targets != targets for one in found):
        raise DataError(f"peers/{world}.json has other targets than the checkpoint of {world}; make it again.")
    rows = [Row(one.model, seen, _cells(one, seen), 1) for one in found for seen in SEEN]
    notes = [
        f"{one.model}: {one.made} by `{one.command}` on {one.hardware}, {one.date}; {one.epochs} epochs, best after "
        f"{one.best_epoch}.{_leads(one, benchmarks, ours)}"
        for one in found
    ]
    return Baselines(rows, [line for note in notes for line in (note, "")])


def ranks_of_runs(benchmarks: Path, plan: Plan) -> list[Ranks]:
    """The ranks of a plan's own runs of M2Rec, by seed; none without runs. Raises DataError for damaged files."""
    found = []
    for path in sorted((benchmarks / "runs" / plan.name).glob(f"{plan.reference}-[0-9]*.json")):
        try:
            key = Result.model_validate_json(path.read_bytes()).key
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is not a readable result; delete it to run it again.") from error
        found.append(load_ranks(path.with_suffix(".npz"), key))
    return found


def _cells(one: Peer, seen: Seen) -> list[str]:
    figures = one.figures(seen)
    return [cell(**figures[metric].model_dump()) if metric in figures else "–" for metric in SHOWN]


def _leads(one: Peer, benchmarks: Path, ours: Sequence[Ranks]) -> str:
    """M2Rec's lead in both ways to rank, where the ranks of both are kept."""
    if not one.ranks or not ours:
        return ""
    theirs = [load_ranks(benchmarks / "peers" / one.ranks, one.key)]
    found = [
        f"{lead(comparison('m2rec', ours, one.model, theirs, seen, METRIC))} {words}" for seen, words in SEEN.items()
    ]
    unfair = " It has no repeat bias, which matters left in." if np.isfinite(theirs[0].by_seen["masked"]).all() else ""
    return f" M2Rec's lead over it in {METRIC}, paired over users: {' and '.join(found)}.{unfair}"
