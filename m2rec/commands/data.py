"""`python -m m2rec data …`"""

from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table

app = typer.Typer(help="Get data sets that may not be shipped with the program.")


@app.callback()
def data() -> None:
    """Get data sets that may not be shipped with the program."""


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="Which data set: ml-1m.")],
    json_file: Json = None,
) -> None:
    """Fetch an official archive into the cache, after showing its licence; a download that broke off goes on.

    The file is checked against the publisher's MD5. A second call finds it there and fetches nothing.
    """
    from m2rec.data.download import download_movielens

    path = download_movielens(name)
    summary = {"name": name, "file": str(path), "bytes": path.stat().st_size}
    shown = table(f"Downloaded {name}", "what", "value")
    for what, value in summary.items():
        shown.add_row(what, str(value))
    show(summary, json_file, shown)
