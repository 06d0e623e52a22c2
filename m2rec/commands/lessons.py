"""`python -m m2rec lessons`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec import paths
from m2rec.atomic import atomic_file
from m2rec.commands.output import say
from m2rec.commands.places import folder_of_worlds


def lessons(
    out: Annotated[Path | None, typer.Option(help="Folder for the sheets; assets/lessons by default.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder with a checkpoint folder for each world; checkpoints by default.")
    ] = None,
) -> None:
    """Write a printable sheet for teachers for each lesson, with answers computed by the models."""
    from m2rec.ui.lessons import lessons as all_lessons
    from m2rec.ui.lessons.sheets import sheet
    from m2rec.ui.session.worlds import Worlds

    where = out or paths.pictures() / "lessons"
    worlds = Worlds.find(folder_of_worlds(folder))
    for one in all_lessons():
        path = where / f"{one.id}.html"
        text = sheet(worlds, one)
        with atomic_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        say(f"{path}")
