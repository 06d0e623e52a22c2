"""The runs of a plan, finished and unfinished, and the table of their results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from m2rec.atomic import atomic_file
from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.plan import Plan, known_plans, load_plan
from m2rec.benchmark.accuracy.ranks import OF_CHECKPOINT, Ranks, checkpoint_key, load_ranks
from m2rec.checkpoint import CheckpointConfig
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.worlds.settings import WorldSettings


def published_plans() -> list[Plan]:
    """The shipped plans that use the test set, the longest first; the others only choose settings."""
    plans = [plan for plan in map(load_plan, known_plans()) if plan.test]
    return sorted(plans, key=lambda plan: (-len(plan.entries), plan.name))


def jobs_of(
    plan: Plan,
    world: WorldSettings,
    prepared: Prepared,
    runs: Path,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Job]:
    """The plan's runs, kept in the folder `runs`, one seed after another; `only` and `seeds` leave out the rest.

    Raises DataError for a name or seed the plan does not have, and for settings that do not fit their model.
    """
    entries = plan.entries
    for asked, known, what in ((only, [entry.name for entry in entries], "model"), (seeds, plan.seeds, "seed")):
        for one in asked:
            if one not in known:
                raise DataError(f"The plan {plan.name} has no {what} {one}; it has {', '.join(map(str, known))}.")
    return [
        Job(plan, entry, seed, world, prepared.fingerprint, runs)
        for seed in plan.seeds
        for entry in entries
        if (not only or entry.name in only) and (not seeds or seed in seeds)
    ]


def by_importance(jobs: Sequence[Job]) -> list[Job]:
    """The runs of all plans, the most important first, for when time is short.

    First the references' first seed (the worlds' own models, from which checkpoints are made), then the baselines',
    then the other seeds of both, then the ablations.
    """
    return sorted(
        jobs,
        key=lambda job: (
            bool(job.entry.ablates),
            job.plan.seeds.index(job.seed),
            job.entry.name != job.plan.reference,
        ),
    )


def benchmark_table(plan: Plan, jobs: Sequence[Job], checkpoint: Path | None = None) -> dict[str, Any]:
    """The plan's table from its finished runs, and the names of the others in "missing".

    `checkpoint` is the folder of the world's own: where the plan's reference has not run, baselines are compared with
    that checkpoint.
    """
    from m2rec.benchmark.accuracy.table import table_of  # imports SciPy, which a machine that only trains may lack

    finished = [(job, result) for job in jobs if (result := job.result())]
    done = {job.name for job, _ in finished}
    shipped = _ranks_of(checkpoint, jobs[0].fingerprint) if checkpoint and jobs else None
    return table_of(plan, finished, shipped) | {"missing": [job.name for job in jobs if job.name not in done]}


def _ranks_of(checkpoint: Path, fingerprint: str) -> Ranks | None:
    """A checkpoint's ranks of the test targets, or None where they were not recorded or are of other data.

    Raises DataError when the ranks are another checkpoint's.
    """
    path, config = checkpoint / OF_CHECKPOINT, checkpoint / "config.json"
    if not path.is_file() or not config.is_file():
        return None
    found = CheckpointConfig.model_validate_json(config.read_bytes())
    return load_ranks(path, checkpoint_key(found)) if found.data.fingerprint == fingerprint else None


def write_table(table: dict[str, Any], folder: Path) -> Path:
    """Replace `<plan>.json` in `folder`. → its path."""
    path = folder / f"{table['plan']}.json"
    try:
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(table, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}); free some space and go on.") from error
    return path
