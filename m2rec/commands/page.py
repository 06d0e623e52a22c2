"""`python -m m2rec page`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.places import folder_of_worlds
from m2rec.port import check_port


def page(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder with a checkpoint folder for each world; checkpoints by default.")
    ] = None,
) -> None:
    """Start the page with all worlds of a folder, as `python app.py` does in a clone. Ctrl+C stops it."""
    check_port()
    where = folder_of_worlds(folder)
    from m2rec.ui.web.run import run

    run(where)
