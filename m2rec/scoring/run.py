"""A run over every user of a table: divides the histories, answers part by part, and resumes where it was killed."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
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
from m2rec.errors import InputError
from m2rec.scoring.histories import divide, part_name, parts_in, rows_in
from m2rec.scoring.scorer import SCHEMA, Scorer

MANIFEST = "_score.json"  # readers of Parquet folders ignore names that begin so
HISTORIES = ".histories"  # the divided histories, until all of them are answered
ROWS_PER_PART = 100_000  # events, or users where the table has one row a user
USERS_AT_ONCE = 1000  # answers that are in memory together
WORTH_A_PROCESS = 20_000  # number of users from which more processes are worth starting
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

    def fingerprint(self) -> dict[str, object]:
        """What must be the same for two runs to be one: weights, items, table and options."""
        config = Checkpoint.load(self.checkpoint).config
        size = self.histories.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        with self.histories.open("rb") as file:
            digest.update(file.read(SAMPLE))
            file.seek(max(size - SAMPLE, 0))
            digest.update(file.read())
        return {
            "world": config.world,
            "weights": config.sha256.get("model.safetensors"),
            "items": config.sha256.get("items.csv"),
            "histories": digest.hexdigest(),
            "k": self.k,
            "exclude_seen": self.exclude_seen,
            "rows_per_part": self.rows_per_part,
        }

    def begin(self) -> int:
        """Claim the folder for this run and divide the histories, unless that is done. → how many parts there are.

        Raises InputError for a folder that holds anything else, and DataError for a table without histories.
        """
        manifest, own = self.out / MANIFEST, self.fingerprint()
        if manifest.is_file():
            found = _manifest(manifest)
            different = [name for name in own if found.get(name) != own[name]]
            if different:
                raise InputError(
                    f"{self.out} holds another run (its {', '.join(different)} differ); give --out another folder."
                )
            if "parts" in found:
                return int(str(found["parts"]))
        elif self.out.exists() and any(self.out.iterdir()):
            raise InputError(f"{self.out} is not empty and holds no run of score; give --out another folder.")
        self.out.mkdir(parents=True, exist_ok=True)
        _write(manifest, own)
        with (
            atomic_folder(self.out / HISTORIES) as fresh,
            progress("Dividing the histories", rows_in(self.histories) or None) as advance,
        ):
            count = divide(self.histories, fresh, self.rows_per_part, advance)
        _write(manifest, {**own, "parts": count})
        return count

    def left(self, parts: int) -> list[int]:
        """The parts that are not answered yet."""
        return [number for number in range(parts) if not (self.out / part_name(number)).is_file()]

    def answer(self, number: int, scorer: Scorer, advance: Callable[[float], None] = lambda _: None) -> int:
        """Answer one part and write it, whole or not at all. → how many users."""
        users = 0
        source = pq.ParquetFile(self.out / HISTORIES / part_name(number))
        with (
            atomic_file(self.out / part_name(number)) as temporary,
            pq.ParquetWriter(temporary, SCHEMA) as writer,
        ):
            for batch in source.iter_batches(USERS_AT_ONCE):
                writer.write_table(scorer(pa.Table.from_batches([batch])))
                users += batch.num_rows
                advance(batch.num_rows)
        return users

    def end(self, parts: int, before: int, unknown: int, began: float) -> Scored:
        """Delete the divided histories, and count the answers."""
        shutil.rmtree(self.out / HISTORIES, ignore_errors=True)
        rows = sum(pq.read_metadata(path).num_rows for _, path in parts_in(self.out))
        firsts = (pq.read_table(path, columns=["rank"])["rank"].to_numpy() == 1 for _, path in parts_in(self.out))
        users = sum(int(first.sum()) for first in firsts)
        return Scored(users, rows, parts, before, unknown, time.monotonic() - began)


def score(run: Run, workers: int | None = None) -> Scored:
    """Answer every part by `workers` processes: by default one a processor, or this one for few users."""
    began = time.monotonic()
    parts = run.begin()
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
    total = sum(pq.read_metadata(run.out / HISTORIES / part_name(number)).num_rows for number in left)
    with progress("Scoring users", total) as advance:
        yield total, advance


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
