"""Use a world's checkpoint as the plan's run with the same settings, instead of training that model again."""

from collections.abc import Sequence

from m2rec.benchmark.accuracy.job import M2REC, Job
from m2rec.benchmark.accuracy.result import Result
from m2rec.checkpoint import Checkpoint
from m2rec.data.prepared import Prepared
from m2rec.errors import InputError
from m2rec.model.config import ModelSettings


def matching_job(checkpoint: Checkpoint, jobs: Sequence[Job], prepared: Prepared) -> Job:
    """The job with the data, settings and seed of this checkpoint. All jobs use the data `prepared`.

    Raises InputError when there is none, or when the checkpoint's training started from other weights: all runs of a
    plan start from random weights.
    """
    config = checkpoint.config
    if config.data.fingerprint != prepared.fingerprint:
        raise InputError(f"The checkpoint of {config.world} was not trained on the data of this plan.")
    if config.training.before:
        raise InputError(
            f"The training of the checkpoint of {config.world} started from other weights; a run of a plan starts from "
            "random ones, so train this model again as one."
        )
    shape = config.model.model_dump(mode="json")
    shape = {name: shape[name] for name in ModelSettings.model_fields}
    for job in jobs:
        same = job.settings == shape and job.training.model_dump() == config.training.settings
        if job.entry.kind == M2REC and job.on_all_data and same:
            return job
    raise InputError(f"No run of this plan has the settings and the seed of the checkpoint of {config.world}.")


def measure_checkpoint(checkpoint: Checkpoint, job: Job, prepared: Prepared) -> Result:
    """Rank the targets with the checkpoint's model, and save the result and the training record as the job's."""
    config = checkpoint.config
    return job.measure(checkpoint.model(), prepared, config.training, config.trained_on)
