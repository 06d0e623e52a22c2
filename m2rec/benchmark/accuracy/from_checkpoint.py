"""Use a world's checkpoint as the plan's run with the same settings, instead of training that model again."""

from collections.abc import Sequence

from m2rec.benchmark.accuracy.job import M2REC, Job
from m2rec.benchmark.accuracy.result import Result
from m2rec.checkpoint import Checkpoint, TrainingRecord
from m2rec.data.prepared import Prepared
from m2rec.errors import InputError
from m2rec.model.config import ModelSettings


def matching_job(checkpoint: Checkpoint, jobs: Sequence[Job], prepared: Prepared) -> Job:
    """The job with the data, settings and seed of this checkpoint. All jobs use the data `prepared`.

    Raises InputError when there is none, also when the checkpoint's training started from weights that no run of the
    plan starts from.
    """
    config = checkpoint.config
    if config.data.fingerprint != prepared.fingerprint:
        raise InputError(f"The checkpoint of {config.world} was not trained on the data of this plan.")
    shape = config.model.model_dump(mode="json")
    shape = {name: shape[name] for name in ModelSettings.model_fields}
    for job in jobs:
        same = job.settings == shape and job.training.model_dump() == config.training.settings
        if job.entry.kind == M2REC and job.on_all_data and same and _starts_alike(config.training, job):
            return job
    start = " and starts from the weights that its training started from" if config.training.before else ""
    raise InputError(f"No run of this plan has the settings and the seed of the checkpoint of {config.world}{start}.")


def _starts_alike(record: TrainingRecord, job: Job) -> bool:
    """Whether the training of this record started as the job does: from random weights, or from those of a run with the
    same training settings.
    """
    if record.before is None or job.before is None:
        return record.before is None and job.before is None
    return record.before.before is None and record.before.settings == job.before.training.model_dump()


def measure_checkpoint(checkpoint: Checkpoint, job: Job, prepared: Prepared) -> Result:
    """Rank the targets with the checkpoint's model, and save the result and the training record as the job's."""
    config = checkpoint.config
    return job.measure(checkpoint.model(), prepared, config.training, config.trained_on)
