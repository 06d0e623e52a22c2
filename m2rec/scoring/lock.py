"""Only one run at a time writes into a folder. The system releases the lock when its process ends, also by a kill."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from m2rec.errors import InputError

LOCK = ".score.lock"  # in the folder, while a run is at work


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, which exists, for one run. Raises InputError where another run holds it."""
    path = folder / LOCK
    handle = _held(path)
    while not _is_at(path, handle):  # the run that had it ended in between and deleted the file
        os.close(handle)
        handle = _held(path)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows deletes no open file; one that is left does no harm
            path.unlink()
        os.close(handle)


def _held(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(handle)
    except (BlockingIOError, PermissionError) as error:
        os.close(handle)
        raise InputError(
            f"Another run of score is writing into {path.parent}; wait until it ends, or give --out another folder."
        ) from error
    except OSError:
        pass  # a file system without locks, where two runs cannot notice each other
    return handle


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
