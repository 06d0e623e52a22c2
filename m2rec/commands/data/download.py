"""`python -m m2rec data download`"""

from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table


def download(
    name: Annotated[str, typer.Argument(help="Which data set: ml-1m or online-retail.")],
    json_file: Json = None,
) -> None:
    """Fetch an official archive into the cache, after showing its licence; an interrupted download is resumed. The file
    is checked against its known MD5. A second call fetches nothing.
    """
    from m2rec.data.sources.download import download_data_set

    path = download_data_set(name)
    summary = {"name": name, "file": str(path), "bytes": path.stat().st_size}
    shown = table(f"Downloaded {name}", "what", "value")
    for what, value in summary.items():
        shown.add_row(what, str(value))
    show(summary, json_file, shown)
