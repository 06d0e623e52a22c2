"""Archives of a benchmark run on a rented machine, kept up to date while it runs.

Such a machine may stop at any time and returns one folder of limited size. During training, each archive is therefore
replaced atomically every few seconds:

checkpoint-WORLD.tar   a world's own model with its best weights so far, written by the process that trains it
runs-N.tar             figures and ranks of finished runs, in the order in which they finished
logs.tar               the last part of every log
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
from m2rec.checkpoint import TrainingRecord
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError, M2RecError
from m2rec.training.trained import Trained
from m2rec.training.world import as_checkpoint
from m2rec.worlds.settings import WorldSettings

log = logging.getLogger(__name__)

LIMIT = 15 * 2**20  # bytes per archive
MOST_ARCHIVES = 8
PACK_SECONDS = 15.0  # between two updates; when the machine stops, later results are lost
LOG_BYTES = 50_000  # kept from the end of each log
BLOCK = 512  # bytes; in a tar archive, headers and contents take whole blocks
END = 20 * BLOCK  # upper bound on the padding at the end of a tar archive

Member = tuple[str, bytes]


class CheckpointArchive:
    """Keeps `checkpoint-WORLD.tar` up to date with the best weights of a run."""

    def __init__(
        self,
        folder: Path,
        world: WorldSettings,
        prepared: Prepared,
        command: str,
        before: TrainingRecord | None = None,
    ) -> None:
        """`world` has the settings that the run is trained with; `before` says how the weights that it starts from were
        trained.
        """
        self.path = folder / f"checkpoint-{world.name}.tar"
        self.world, self.prepared, self.command, self.before = world, prepared, command, before
        self._written = -PACK_SECONDS

    def update(self, trained: Trained) -> None:
        """Write the archive, at most once in PACK_SECONDS."""
        if time.monotonic() - self._written >= PACK_SECONDS:
            self.write(trained)

    def write(self, trained: Trained) -> None:
        """Write the archive. Errors are logged and do not stop training."""
        try:
            self._write(trained)
        except M2RecError as error:
            log.warning("The checkpoint was not packed: %s", error)
        self._written = time.monotonic()

    def _write(self, trained: Trained) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / self.world.name
            as_checkpoint(self.world, self.prepared, trained, self.command, self.before).save(folder)
            members = [(f"checkpoints/{self.world.name}/{path.name}", path.read_bytes()) for path in folder.iterdir()]
        if _size(members) > LIMIT:
            raise DataError(f"The checkpoint of {self.world.name} does not fit into {LIMIT >> 20} MiB.")
        _write(self.path, members)


class RunArchives:
    """Keeps `runs-N.tar` and `logs.tar` up to date with the finished jobs."""

    def __init__(self, folder: Path, jobs: Sequence[Job]) -> None:
        self.folder, self.jobs = folder, list(jobs)
        worlds = {job.world.name for job in jobs if job.trains_checkpoint}
        self.most = MOST_ARCHIVES - len(worlds) - 1  # one holds the logs
        self._packed: dict[Path, list[str]] = {}
        self._done = -PACK_SECONDS

    def update(self) -> None:
        """Write the archives that have changed, at most once in PACK_SECONDS."""
        if time.monotonic() - self._done >= PACK_SECONDS:
            self.write()

    def write(self) -> int:
        """Write the archives that have changed. → the number of finished runs that did not fit into them."""
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
    """Replace the archive. Raises DataError when it cannot be written."""
    try:
        with atomic_file(path) as temporary, tarfile.open(temporary, "w") as archive:
            for name, content in members:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}); free some space.") from error
