"""Folders of derived files: prepared data, text vectors, downloaded archives."""

import os
from pathlib import Path

import platformdirs

from m2rec.errors import DataError


def cache_dir() -> Path:
    """`$M2REC_CACHE`, or the user's cache folder for "m2rec". Not created here: a reader must not write."""
    chosen = os.environ.get("M2REC_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("m2rec"))


def data_dir() -> Path | None:
    """`$M2REC_DATA`, the folder with one subfolder per data set, or None where it is not set.

    Raises DataError when it is set to a folder that does not exist.
    """
    chosen = os.environ.get("M2REC_DATA")
    if not chosen:
        return None
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise DataError(f"M2REC_DATA points at {chosen}, which is not a folder; correct it or unset it.")
    return folder


def prepared_folder(world: str) -> Path:
    """The folder of a prepared world, which `prepare` writes and `train` and `evaluate` read."""
    return cache_dir() / "prepared" / world
