"""A checkpoint as the run of a plan that it is: the world's own model was trained once, and need not be again."""

from collections.abc import Sequence

from m2rec.benchmark.accuracy.job import OURS, Job, Ran, Result
from m2rec.checkpoint import Checkpoint
from m2rec.data.prepared import Prepared
from m2rec.errors import InputError
from m2rec.model.config import ModelSettings


def run_of(checkpoint: Checkpoint, jobs: Sequence[Job], prepared: Prepared) -> Job:
    """Which of the jobs, all on `prepared`, this checkpoint is the outcome of: same data, settings and seed.

    Raises InputError where it is of none, or where its run did not begin at random weights, as those of a plan do.
    """
    config = checkpoint.config
    if config.data.fingerprint != prepared.fingerprint:
        raise InputError(f"The checkpoint of {config.world} was trained on other data than this plan is about.")
    if config.training.before:
        raise InputError(
            f"The checkpoint of {config.world} was trained on from another one, and no run of a plan is; train it anew."
        )
    shape = config.model.model_dump(mode="json")
    shape = {name: shape[name] for name in ModelSettings.model_fields}
    for job in jobs:
        same = job.settings == shape and job.training.model_dump() == config.training.settings
        if job.entry.kind == OURS and job.entry.treatment == "none" and same:
            return job
    raise InputError(
        f"The checkpoint of {config.world} is no run of this plan: its settings or its seed differ from all of them."
    )


def adopt(checkpoint: Checkpoint, job: Job, prepared: Prepared) -> Result:
    """Measure the checkpoint as `job`'s model and keep the result under the job's name, with its own run's record."""
    run = checkpoint.config.training
    ran = Ran(
        hardware=checkpoint.config.trained_on,
        date=run.date,
        command=run.command,
        revision=run.git_revision,
        epochs=run.epochs,
        best_epoch=run.best_epoch,
        seconds=run.seconds,
        peak_memory_mib=run.peak_memory_mib,
    )
    return job.measure(checkpoint.model(), prepared, ran)
