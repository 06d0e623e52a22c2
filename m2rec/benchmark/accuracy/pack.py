"""Archives of a benchmark run on a rented machine, a few files that are always up to date.

Such a machine returns a folder of limited size, and may stop at any time. So the archives are
replaced, each as a whole, every few seconds while training goes on:

checkpoint-WORLD.tar   a world's own model as trained so far, written by the process that trains it
runs-N.tar             finished runs, figures and ranks, in the order in which they ended
logs.tar               the ends of all logs
"""

import io
import logging
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from m2rec.atomic import atomic_file
from m2rec.benchmark.accuracy.job import Job
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError, M2RecError
from m2rec.training.run import Trained
from m2rec.training.world import as_checkpoint
from m2rec.worlds.settings import WorldSettings

log = logging.getLogger(__name__)

LIMIT = 15 * 2**20  # bytes of an archive
MOST_ARCHIVES = 8
PACK_SECONDS = 15.0  # between two updates; newer results are lost with the machine
LOG_BYTES = 50_000  # of the end of each log
BLOCK = 512  # a tar archive's unit: a member takes a header and its content, rounded up
END = 20 * BLOCK  # end of a tar archive, at most

Member = tuple[str, bytes]


class CheckpointArchive:
    """Keeps `checkpoint-WORLD.tar` up to date with the best weights of a run. Called with the model so far."""

    def __init__(self, folder: Path, world: WorldSettings, prepared: Prepared, command: str) -> None:
        self.path = folder / f"checkpoint-{world.name}.tar"
        self.world, self.prepared, self.command = world, prepared, command
        self._written = -PACK_SECONDS

    def update(self, trained: Trained) -> None:
        """Write the archive, at most every few seconds."""
        if time.monotonic() - self._written >= PACK_SECONDS:
            self.write(trained)

    def write(self, trained: Trained) -> None:
        """Write the archive. An error is logged, and training goes on."""
        try:
            self._write(trained)
        except M2RecError as error:
            log.warning("The checkpoint is not packed: %s", error)
        self._written = time.monotonic()

    def _write(self, trained: Trained) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / self.world.name
            as_checkpoint(self.world, self.prepared, trained, self.command).save(folder)
            members = [(f"checkpoints/{self.world.name}/{path.name}", path.read_bytes()) for path in folder.iterdir()]
        if _size(members) > LIMIT:
            raise DataError(f"The checkpoint of {self.world.name} does not fit into {LIMIT >> 20} MiB.")
        _write(self.path, members)


class RunArchives:
    """Keeps `runs-N.tar` and `logs.tar` up to date with the jobs that are finished."""

    def __init__(self, folder: Path, jobs: Sequence[Job]) -> None:
        self.folder, self.jobs = folder, list(jobs)
        worlds = {job.world.name for job in jobs if job.trains_checkpoint}
        self.most = MOST_ARCHIVES - len(worlds) - 1  # one is for the logs
        self._packed: dict[Path, list[str]] = {}
        self._done = -PACK_SECONDS

    def update(self) -> None:
        """Write what has changed, at most every few seconds."""
        if time.monotonic() - self._done >= PACK_SECONDS:
            self.write()

    def write(self) -> int:
        """Write what has changed. → the number of finished runs for which there was no space."""
        finished = [job for job in self.jobs if job.result() is not None]
        finished.sort(key=lambda job: (job.result_file.stat().st_mtime_ns, job.label))
        archives: list[list[Job]] = [[]]
        size = 0
        for job in finished:
            needed = sum(_padded(path.stat().st_size) for path in _files(job))
            if archives[-1] and size + needed > LIMIT - END:
                archives.append([])
                size = 0
            archives[-1].append(job)
            size += needed
        for number, jobs in enumerate(archives[: self.most]):
            self._write_runs(self.folder / f"runs-{number}.tar", jobs)
        _write(self.folder / "logs.tar", [(f"logs/{job.label}.log", _end_of(job.log_file)) for job in self._logged()])
        self._done = time.monotonic()
        return sum(map(len, archives[self.most :]))

    def _write_runs(self, path: Path, jobs: list[Job]) -> None:
        state = [f"{job.label} {job.result_file.stat().st_mtime_ns}" for job in jobs]
        if jobs and self._packed.get(path) != state:
            _write(
                path,
                [(f"runs/{file.parent.name}/{file.name}", file.read_bytes()) for job in jobs for file in _files(job)],
            )
            self._packed[path] = state

    def _logged(self) -> list[Job]:
        return [job for job in self.jobs if job.log_file.is_file()]


def _files(job: Job) -> tuple[Path, Path]:
    return job.result_file, job.ranks_file


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        return file.read()


def _padded(size: int) -> int:
    return BLOCK + -(-size // BLOCK) * BLOCK


def _size(members: Sequence[Member]) -> int:
    return sum(_padded(len(content)) for _, content in members) + END


def _write(path: Path, members: Sequence[Member]) -> None:
    """Replace the archive. Raises DataError when the disk does not take it."""
    try:
        with atomic_file(path) as temporary, tarfile.open(temporary, "w") as archive:
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}); free some space.") from error
