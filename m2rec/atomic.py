"""Saves that either happen whole or leave the old state as it was, also when the disk is full or the power goes."""

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARK = "saving-"  # in the name of what is being saved and not yet in its place
ABANDONED = 24 * 3600.0  # seconds without a change after which its process must have been killed
EXCHANGE = 2  # RENAME_EXCHANGE of Linux
HERE = -100  # AT_FDCWD


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on leaving without an error it takes the final name.

    A link at `path` stays, and the file that it points to is replaced.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder) / "figures.json") as temporary:
    ...         _ = temporary.write_text("{}")
    ...     os.listdir(folder)
    ['figures.json']
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    temporary = path.with_name(f".{path.name}.{MARK}{secrets.token_hex(4)}")
    usual = _usual_mode(temporary)
    try:
        yield temporary
        _flush(temporary)
        os.chmod(temporary, usual)  # safetensors puts a private file in its place
        os.replace(temporary, path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def try_to_write(folder: Path) -> None:
    """Raise the OSError with which a save in `folder` would fail, before the work whose result is to be saved. The
    folder need not exist.
    """
    place = next(one for one in (folder, *folder.parents) if one.exists())
    if not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
    with tempfile.TemporaryFile(dir=place):
        pass


@contextmanager
def atomic_folder(folder: Path, own: Collection[str] | None = None) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`; on leaving without an error it replaces `folder` whole.

    With `own`, paths inside of the folder, only these files of the old folder go, and all others are in the new one
    too. They are linked there before it takes its place, so that they too are never missing. A link at `folder` stays,
    and the folder that it points to is replaced.

    Linux exchanges the two in one step, so that a kill at any moment leaves one of them whole in its place. Elsewhere
    the old folder is moved aside after everything new is safely on the disk, and put back if the last move fails.
    """
    folder = Path(os.path.realpath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.{MARK}"))
    fresh, old = temporary / "new", temporary / "old"
    fresh.mkdir()
    try:
        usual = _usual_mode(temporary / "any")
        yield fresh
        for path in fresh.rglob("*"):
            _flush(path)
            if path.is_file() and not path.is_symlink():
                os.chmod(path, stat.S_IMODE(path.stat().st_mode) | usual)  # as above
        if own is not None and folder.is_dir():
            _keep(folder, fresh, own)
        _flush(fresh)
        if not (folder.exists() and _exchange(fresh, folder)):
            _move(fresh, folder, old)
        _flush(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _keep(folder: Path, fresh: Path, own: Collection[str]) -> None:
    """Put everything of `folder` into `fresh` too, except for the files of `own` and what is there already."""
    written = {path.relative_to(fresh).as_posix() for path in fresh.rglob("*") if path.is_file()} | set(own)

    def replaced(place: str, names: list[str]) -> set[str]:
        paths = {name: Path(place) / name for name in names}
        return {
            name
            for name, path in paths.items()
            if path.relative_to(folder).as_posix() in written and (path.is_symlink() or not path.is_dir())
        }

    shutil.copytree(folder, fresh, symlinks=True, ignore=replaced, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    """A second name of the same file, or a copy where the file system has no such names."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copyfile(source, target)
        _flush(Path(target))
        shutil.copystat(source, target)


def _exchange(fresh: Path, folder: Path) -> bool:
    """Let two folders change places in one step. False where the system or the file system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return renameat2(HERE, os.fsencode(fresh), HERE, os.fsencode(folder), EXCHANGE) == 0


def _move(fresh: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(fresh, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise


def _remove_abandoned(target: Path) -> None:
    """Remove what a killed process left beside the target, long enough ago that no process can still be writing it."""
    mine = re.compile(re.escape(f".{target.name}.{MARK}") + r"\w{8}")
    for path in target.parent.iterdir():
        if not mine.fullmatch(path.name):
            continue
        with suppress(OSError):  # another process may be doing the same, and what cannot be removed does no harm
            if time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _usual_mode(path: Path) -> int:
    """Make an empty file, with the mode of any new file. → its mode.

    Not by mkstemp, whose files are private: here the system applies the umask, which can only be read by changing it.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return stat.S_IMODE(path.stat().st_mode)


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder to flush it
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
