"""A run over every user of a table: divides the histories, answers part by part, and resumes where it was killed."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from m2rec.atomic import atomic_file, atomic_folder
from m2rec.checkpoint import Checkpoint
from m2rec.data.progress import progress
from m2rec.data.tables.parquet_batches import open_parquet, record_batches
from m2rec.data.tables.times import DateOrder
from m2rec.errors import DataError, InputError
from m2rec.scoring.events import HASH_KEY, HISTORY
from m2rec.scoring.histories import divide, part_name, parts_in, rows_in
from m2rec.scoring.lock import LOCK, locked
from m2rec.scoring.scorer import SCHEMA, Scorer

MANIFEST = "_score.json"  # readers of Parquet folders ignore names that begin so
HISTORIES = ".histories"  # the divided histories, until all of them are answered
ROWS_PER_PART = 100_000  # events, or users where the table has one row a user
USERS_AT_ONCE = 1000  # answers that are in memory together
WORTH_A_PROCESS = 20_000  # number of users from which more processes are worth starting
DIVIDE_AGAIN = f"delete the folder {HISTORIES} and run the command again, which divides the table again"
ANSWER_AGAIN = "delete it and run the command again"
SAMPLE = 1 << 20  # bytes at each end of the table that its fingerprint covers


@dataclass(frozen=True)
class Scored:
    """The counts of a run."""

    users: int
    rows: int
    parts: int
    parts_before: int  # that an earlier run had answered
    unknown: int  # entries of histories without an item in the checkpoint, of this run's parts
    seconds: float


@dataclass(frozen=True)
class Run:
    """One run: a checkpoint, a table, a folder, and how to answer."""

    checkpoint: Path
    histories: Path
    out: Path
    k: int = 10
    exclude_seen: bool = False
    rows_per_part: int = ROWS_PER_PART
    columns: Mapping[str, str] | None = None  # role → column of the table, where its name is not a usual one
    dates: DateOrder | None = None  # what 03/04/2025 means

    def fingerprint(self) -> dict[str, object]:
        """What must be the same for two runs to be one: weights, items, table, options and the way of dividing."""
        config = Checkpoint.load(self.checkpoint).config
        return {
            "world": config.world,
            "weights": config.sha256.get("model.safetensors"),
            "items": config.sha256.get("items.csv"),
            "histories": _digest(self.histories),
            "k": self.k,
            "exclude_seen": self.exclude_seen,
            "rows_per_part": self.rows_per_part,
            "columns": dict(self.columns) if self.columns else None,
            "dates": self.dates,
            "division": HASH_KEY,
        }

    @contextmanager
    def claimed(self) -> Iterator[int]:
        """Hold the folder for this run, with the histories divided. Yields how many parts there are.

        Raises InputError for a folder that another run is writing into or that holds anything else, and DataError for a
        table without histories.
        """
        own = self.fingerprint()
        found = {path.name for path in self.out.iterdir()} if self.out.exists() else set()
        if found - {LOCK} and MANIFEST not in found:
            raise InputError(f"{self.out} is not empty and holds no run of score; give --out another folder.")
        new = not self.out.exists()
        self.out.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.out):
                yield self._parts(own)
        except DataError:
            if new and {path.name for path in self.out.iterdir()} <= {LOCK}:
                shutil.rmtree(self.out)  # a table that cannot be divided leaves nothing behind
            raise

    def _parts(self, own: dict[str, object]) -> int:
        manifest = self.out / MANIFEST
        found = _manifest(manifest) if manifest.is_file() else {}
        if "parts" not in found:  # nothing is answered; what was killed while dividing may have been any run
            return self._begin(own)
        different = [name for name in own if found.get(name) != own[name]]
        if different:
            raise InputError(
                f"{self.out} holds another run (its {', '.join(different)} differ); give --out another folder."
            )
        parts = int(str(found["parts"]))
        ready = all((self.out / HISTORIES / part_name(number)).is_file() for number in self.left(parts))
        if not ready and self._divide() != parts:
            raise InputError(f"{self.histories} no longer gives {parts} parts; give --out another folder.")
        return parts

    def _begin(self, own: dict[str, object]) -> int:
        manifest = self.out / MANIFEST
        _write(manifest, own)
        try:
            count = self._divide()
        except BaseException:
            manifest.unlink(missing_ok=True)  # a corrected table is another one
            raise
        _write(manifest, {**own, "parts": count})
        return count

    def _divide(self) -> int:
        with (
            atomic_folder(self.out / HISTORIES) as fresh,
            progress("Dividing the histories", rows_in(self.histories) or None) as advance,
        ):
            return divide(self.histories, fresh, self.rows_per_part, advance, self.columns, self.dates)

    def left(self, parts: int) -> list[int]:
        """The parts that are not answered yet."""
        return [number for number in range(parts) if not (self.out / part_name(number)).is_file()]

    def answer(self, number: int, scorer: Scorer, advance: Callable[[float], None] = lambda _: None) -> int:
        """Answer one part and write it, whole or not at all. → how many users."""
        users = 0
        path = self.out / HISTORIES / part_name(number)
        with (
            atomic_file(self.out / part_name(number)) as temporary,
            pq.ParquetWriter(temporary, SCHEMA) as writer,
        ):
            for batch in record_batches(path, HISTORY.names, USERS_AT_ONCE, DIVIDE_AGAIN):
                writer.write_table(scorer(pa.Table.from_batches([batch])))
                users += batch.num_rows
                advance(batch.num_rows)
        return users

    def end(self, parts: int, before: int, unknown: int, began: float) -> Scored:
        """Count the answers, and delete the divided histories."""
        users = rows = 0
        for _, path in parts_in(self.out):
            for batch in record_batches(path, ["rank"], advice=ANSWER_AGAIN):
                rows += batch.num_rows
                users += int((batch.column("rank").to_numpy() == 1).sum())
        shutil.rmtree(self.out / HISTORIES, ignore_errors=True)
        return Scored(users, rows, parts, before, unknown, time.monotonic() - began)


def score(run: Run, workers: int | None = None) -> Scored:
    """Answer every part by `workers` processes: by default one a processor, or this one for few users."""
    began = time.monotonic()
    with run.claimed() as parts:
        left = run.left(parts)
        with users_left(run, left) as (total, advance):
            if workers is None:
                workers = (os.cpu_count() or 1) if total >= WORTH_A_PROCESS else 1
            workers = min(workers, len(left))
            unknown = _by_processes(run, left, workers, advance) if workers > 1 else _here(run, left, advance)
        return run.end(parts, parts - len(left), unknown, began)


def _here(run: Run, left: list[int], advance: Callable[[float], None]) -> int:
    scorer = Scorer(run.checkpoint, run.k, run.exclude_seen)
    for number in left:
        run.answer(number, scorer, advance)
    return scorer.unknown


def _by_processes(run: Run, left: list[int], workers: int, advance: Callable[[float], None]) -> int:
    # each worker is one thread: histories are short, and threads inside NumPy would only wait for one another
    one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name not in os.environ}
    os.environ.update(one_thread)
    try:
        with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (run,)) as pool:
            unknown = 0
            for done in as_completed([pool.submit(_work, number) for number in left]):
                users, strange = done.result()
                unknown += strange
                advance(users)
            return unknown
    finally:
        for name in one_thread:
            del os.environ[name]


_worker: "tuple[Run, Scorer] | None" = None  # of a worker's process


def _start_worker(run: Run) -> None:
    global _worker
    _worker = run, Scorer(run.checkpoint, run.k, run.exclude_seen)


def _work(number: int) -> tuple[int, int]:
    assert _worker is not None
    run, scorer = _worker
    before = scorer.unknown
    return run.answer(number, scorer), scorer.unknown - before


@contextmanager
def users_left(run: Run, left: list[int]) -> Iterator[tuple[int, Callable[[float], None]]]:
    """How many users the parts that are left have, and a progress bar over them."""
    total = 0
    for number in left:
        with open_parquet(run.out / HISTORIES / part_name(number), DIVIDE_AGAIN) as opened:
            total += opened.metadata.num_rows
    with progress("Scoring users", total) as advance:
        yield total, advance


def _digest(path: Path) -> str:
    """A digest of a file's size and its two ends."""
    try:
        size = path.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        with path.open("rb") as file:
            digest.update(file.read(SAMPLE))
            file.seek(max(size - SAMPLE, 0))
            digest.update(file.read())
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); give --histories a table.") from error
    return digest.hexdigest()


def _manifest(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        found = error
    if not isinstance(found, dict):
        raise InputError(f"{path} is damaged, so nobody knows which run it is of; give --out another folder.")
    return found


def _write(path: Path, content: dict[str, object]) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
