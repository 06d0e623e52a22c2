"""`python -m m2rec data download`"""

from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table


def download(
    name: Annotated[str, typer.Argument(help="The data set: ml-1m or online-retail.")],
    json_file: Json = None,
) -> None:
    """Show a data set's licence and download its official archive into the cache, unless it is there.

    An interrupted download is resumed, and the file is checked against its known MD5.
    """
    from m2rec.data.sources.download import download_data_set

    path = download_data_set(name)
    summary = {"name": name, "file": str(path), "bytes": path.stat().st_size}
    shown = table(f"Downloaded {name}", "what", "value")
    for what, value in summary.items():
        shown.add_row(what, str(value))
    show(summary, json_file, shown)
