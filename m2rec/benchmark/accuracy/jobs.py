"""The runs of a plan, finished and unfinished, and the table of their results."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from m2rec.atomic import atomic_file
from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.plan import Plan, known_plans, load_plan
from m2rec.checkpoint import CheckpointConfig
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.evaluation.ranks import OF_CHECKPOINT, Ranks, checkpoint_key, load_ranks
from m2rec.worlds.settings import WorldSettings


def published_plans() -> list[Plan]:
    """The shipped plans that use the test set, longest first. The other plans serve to choose settings."""
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
    """The plan's runs, seed by seed, with their results in the folder `runs`.

    `only` and `seeds` select models and seeds; empty selects all. Raises DataError for a name or seed that is not in
    the plan, and for settings that do not fit their model.
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
    """The runs of all plans, most important first, in case time runs out.

    First the references with the first seed (the worlds' own models, which become checkpoints), then the baselines with
    the first seed, then both with the other seeds, then the ablations. A run that another one starts from comes first.
    """
    starts = {job.before.label for job in jobs if job.before}
    return sorted(
        jobs,
        key=lambda job: (
            bool(job.entry.ablates),
            job.plan.seeds.index(job.seed),
            job.label not in starts,
            job.entry.name != job.plan.reference,
        ),
    )


def benchmark_table(plan: Plan, jobs: Sequence[Job], checkpoint: Path | None = None) -> dict[str, Any]:
    """The plan's table from its finished runs; "missing" names the unfinished ones.

    `checkpoint` is the folder of the world's checkpoint. Baselines are compared with it as long as the plan's reference
    has no finished run.
    """
    from m2rec.benchmark.accuracy.table import table_of  # imports SciPy, which a training machine may lack

    finished = [(job, result) for job in jobs if (result := job.result())]
    done = {job.name for job, _ in finished}
    shipped = _ranks_of(checkpoint, jobs[0].fingerprint) if checkpoint and jobs else None
    return table_of(plan, finished, shipped) | {"missing": [job.name for job in jobs if job.name not in done]}


def _ranks_of(checkpoint: Path, fingerprint: str) -> Ranks | None:
    """A checkpoint's ranks of the test targets, or None when they are not recorded or belong to other data.

    Raises DataError when the ranks belong to another checkpoint.
    """
    path, config = checkpoint / OF_CHECKPOINT, checkpoint / "config.json"
    if not path.is_file() or not config.is_file():
        return None
    found = CheckpointConfig.model_validate_json(config.read_bytes())
    return load_ranks(path, checkpoint_key(found)) if found.data.fingerprint == fingerprint else None


def write_table(table: dict[str, Any], folder: Path) -> Path:
    """Replace `<plan>.json` in `folder`. → its path. Raises DataError when it cannot be written."""
    path = folder / f"{table['plan']}.json"
    try:
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(table, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}); free some space and try again.") from error
    return path
