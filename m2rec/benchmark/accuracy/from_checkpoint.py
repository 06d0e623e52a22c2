"""A world's checkpoint counted as the plan's run with the same settings, so that its model is not trained twice."""

from collections.abc import Sequence

from m2rec.benchmark.accuracy.job import M2REC, Job
from m2rec.benchmark.accuracy.result import Result
from m2rec.checkpoint import Checkpoint
from m2rec.data.prepared import Prepared
from m2rec.errors import InputError
from m2rec.model.config import ModelSettings


def matching_job(checkpoint: Checkpoint, jobs: Sequence[Job], prepared: Prepared) -> Job:
    """The job whose data, settings and seed this checkpoint was trained with. All jobs are on `prepared`.

    Raises InputError where there is none, or where training started from another checkpoint's weights: a plan's runs
    start from random ones.
    """
    config = checkpoint.config
    if config.data.fingerprint != prepared.fingerprint:
        raise InputError(f"The checkpoint of {config.world} was trained on other data than that of this plan.")
    if config.training.before:
        raise InputError(
            f"The checkpoint of {config.world} was trained from another one's weights, and "
            "no run of a plan is; train it anew."
        )
    shape = config.model.model_dump(mode="json")
    shape = {name: shape[name] for name in ModelSettings.model_fields}
    for job in jobs:
        same = job.settings == shape and job.training.model_dump() == config.training.settings
        if job.entry.kind == M2REC and job.on_all_data and same:
            return job
    raise InputError(
        f"The checkpoint of {config.world} is no run of this plan: its settings or its seed differ from every run's."
    )


def measure_checkpoint(checkpoint: Checkpoint, job: Job, prepared: Prepared) -> Result:
    """Rank the targets with the checkpoint's model and save the result as the job's, with the checkpoint's record."""
    config = checkpoint.config
    return job.measure(checkpoint.model(), prepared, config.training, config.trained_on)
