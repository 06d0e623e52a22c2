"""Folders that this program writes where a person says: which of the files there are its own, and which it must keep.

A save replaces a folder in one step, so a wrong path could cost a folder of somebody's work. The rule is: only a new or
empty folder, or one that the program wrote, is written to, and there every file whose name is not one of the program's
stays, such as `.git` and `.gitattributes` of a clone from the hub, or somebody's notes.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from m2rec.atomic import try_to_write
from m2rec.errors import InputError

GIT = ".git"  # what starts like this does not fill a folder: a new repository is empty, but for .git and .gitattributes


@dataclass(frozen=True)
class OwnFolder:
    """One kind of folder that the program writes."""

    what: str  # it is, in a sentence
    files: frozenset[str]  # paths in the folder that a save replaces or removes; all others are kept
    is_one: Callable[[Path], bool]  # whether the program wrote a folder

    def refuse_others(self, folder: Path) -> None:
        """Raises InputError where something else than such a folder is in the way, or the disk takes none. To be called
        before the work too whose result is saved. A link stands for what it points to.
        """
        target = Path(os.path.realpath(folder))
        try:
            try_to_write(target.parent)
        except OSError as error:
            raise InputError(f"{folder} cannot be written ({error.strerror}); give another folder.") from error
        if not target.exists():
            return
        if not target.is_dir():
            raise InputError(f"{folder} is a file; give a new or empty folder for {self.what}.")
        try:
            names = sorted(os.listdir(target))
        except OSError as error:
            raise InputError(f"{folder} cannot be read ({error.strerror}); give another folder.") from error
        others = [name for name in names if not name.startswith(GIT)]
        if others and not self.is_one(target):
            raise InputError(
                f"{folder} is not empty and not {self.what} (it holds {others[0]}), so nothing is written there; "
                "give a new or empty folder."
            )
