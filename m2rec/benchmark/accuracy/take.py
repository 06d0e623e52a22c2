"""Install the archives of `pack.py`: runs that belong to the plans, and checkpoints that are better than those here."""

import math
import shutil
import tarfile
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from m2rec.atomic import atomic_file, atomic_folder
from m2rec.benchmark.accuracy.job import Job
from m2rec.benchmark.accuracy.result import Result
from m2rec.checkpoint import CHECKPOINT_FOLDER, Checkpoint
from m2rec.data.prepared import Prepared
from m2rec.errors import CheckpointError, DataError, InputError
from m2rec.evaluation.protocol import Scorer, evaluate
from m2rec.evaluation.ranks import load_ranks

CRITERION = "NDCG@10"  # on validation with seen items left in, as in early stopping


@dataclass
class TakenRuns:
    """The runs that were installed, and the labels of the others with the reason why not."""

    taken: list[Job] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TakenCheckpoint:
    """Validation NDCG@10 of a checkpoint (`new`) and of the one that it would replace (`old`); NaN where unknown."""

    world: str
    trained_on: str
    new: float
    old: float
    reason: str = ""  # why it was not installed

    @property
    def taken(self) -> bool:
        """Whether it was installed."""
        return not self.reason


def unpack(folder: Path, into: Path) -> None:
    """Unpack all archives in `folder`. Raises InputError when there are none, or one cannot be read."""
    archives = sorted(folder.glob("*.tar")) if folder.is_dir() else []
    if not archives:
        raise InputError(
            f"{folder} holds no archives (*.tar) of `benchmark train --pack`; give the folder that has them."
        )
    for path in archives:
        try:
            with tarfile.open(path) as archive:
                _files(archive, into)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise InputError(f"{path} is not a readable archive ({error}); fetch it again.") from error


def _files(archive: tarfile.TarFile, into: Path) -> None:
    """Write the files of an archive into a folder. Raises tarfile.TarError for links and for paths that lead out of it.

    `extractall(filter="data")` does the same, but Python 3.11 has it from 3.11.4 on, and Debian 12 has 3.11.2.
    """
    for member in archive:
        path = into / member.name
        if not path.resolve().is_relative_to(into.resolve()):
            raise tarfile.TarError(f"{member.name!r} lies outside of the archive's folder")
        content = archive.extractfile(member) if member.isfile() else None
        if content is None:
            raise tarfile.TarError(f"{member.name!r} is not a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(content, file)


def take_runs(unpacked: Path, jobs: Sequence[Job], *, worlds: Container[str] = (), force: bool = False) -> TakenRuns:
    """Install the results of `jobs`. A result that is already here is replaced only with `force`, or if the run trained
    the checkpoint of one of `worlds`. Raises DataError when a file cannot be written.
    """
    by_label = {job.label: job for job in jobs}
    found = TakenRuns()
    for source in sorted((unpacked / "runs").glob("*/*.json")):
        label = f"{source.parent.name}/{source.stem}"
        job = by_label.get(label)
        if job is None:
            found.skipped[label] = "it is in no plan whose world is prepared here"
        elif not (force or (job.trains_checkpoint and job.world.name in worlds)) and job.result() is not None:
            found.skipped[label] = "it is here already"
        elif reason := _unfit(source, job):
            found.skipped[label] = reason
        else:
            # ranks first, as in `Job.run`: a result without ranks counts as missing
            for path in (job.ranks_file, job.result_file):
                _copy(source.with_suffix(path.suffix), path)
            found.taken.append(job)
    return found


def take_checkpoint(source: Path, target: Path, prepared: Prepared, *, force: bool = False) -> TakenCheckpoint:
    """Replace the checkpoint `target` by `source` if its validation is better, or with `force`.

    If the checkpoint here has no recorded validation, it is evaluated first. Raises CheckpointError when `source` is
    damaged, and InputError when `target` holds something else than a checkpoint.
    """
    CHECKPOINT_FOLDER.refuse_others(target)
    new = Checkpoint.load(source)
    new_score, old_score, reason = _recorded(new), math.nan, ""
    if target.is_dir():
        try:
            old_score, reason = _comparable(new, Checkpoint.load(target), prepared)
        except CheckpointError as error:
            reason = f"the one here cannot be read: {error}"
        if not reason and math.isnan(new_score):
            reason = "its validation is not recorded"
        elif not reason and not new_score > old_score:
            reason = "its validation is not better"
    if force or not reason:
        reason = ""
        with atomic_folder(target, CHECKPOINT_FOLDER.files) as fresh:
            for path in source.iterdir():
                (fresh / path.name).write_bytes(path.read_bytes())
    return TakenCheckpoint(new.config.world, new.config.trained_on, new_score, old_score, reason)


def _unfit(source: Path, job: Job) -> str:
    """Why the file is not a result of this job; empty if it is."""
    try:
        result = Result.model_validate_json(source.read_bytes())
        load_ranks(source.with_suffix(job.ranks_file.suffix), result.key)
    except (ValidationError, OSError, DataError) as error:
        return f"its files are damaged ({str(error).splitlines()[0]})"
    return "" if result.key == job.key else "its settings, data or seed are not the plan's"


def _recorded(checkpoint: Checkpoint) -> float:
    return (checkpoint.config.training.validation or {}).get(CRITERION, math.nan)


def _comparable(new: Checkpoint, old: Checkpoint, prepared: Prepared) -> tuple[float, str]:
    """The old checkpoint's score, evaluated if not recorded, and why the two cannot be compared ("" if they can)."""
    if not new.config.data.fingerprint == old.config.data.fingerprint == prepared.fingerprint:
        return math.nan, "it and the one here were trained on different data"
    recorded = _recorded(old)
    if math.isnan(recorded):
        length = old.config.model.max_length
        recorded = evaluate(cast(Scorer, old.model()), prepared, "validation", length).figures["unmasked"][CRITERION]
    return recorded, ""


def _copy(source: Path, target: Path) -> None:
    try:
        with atomic_file(target) as temporary:
            temporary.write_bytes(source.read_bytes())
    except OSError as error:
        raise DataError(f"{target} could not be written ({error.strerror}); free some space.") from error
