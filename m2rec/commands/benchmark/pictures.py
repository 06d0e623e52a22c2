"""`python -m m2rec benchmark pictures`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec import paths
from m2rec.commands.output import say
from m2rec.errors import InputError


def pictures(
    out: Annotated[Path | None, typer.Option(help="Folder for the pictures; assets by default.")] = None,
) -> None:
    """Make the README's pictures in headless Chromium: two of the page, an animation, and an answer in a notebook."""
    from m2rec.benchmark.page.pictures import take_pictures

    folder = out or paths.pictures()
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; make it first, or give another --out.")
    for path in take_pictures(folder, report=lambda what: say(f"{what} …")):
        say(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
