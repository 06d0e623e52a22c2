"""`python -m m2rec data …`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import Json, say, show, table
from m2rec.commands.rhythms import rhythms
from m2rec.errors import InputError

app = typer.Typer(help="Data sets: fetch those that may not be shipped, picture our own, look for rhythms.")


@app.callback()
def data() -> None:
    """Data sets: fetch those that may not be shipped, picture our own, look for rhythms."""


@app.command()
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


@app.command()
def picture(
    file: Annotated[Path, typer.Argument(help="Where the SVG goes.")],
    days: Annotated[int, typer.Option(min=7, max=100, help="How many days are shown.")] = 63,
) -> None:
    """Draw one customer of the Rhythm Market: every purchase with its cause, and the fair oracle's forecasts."""
    from m2rec.atomic import atomic_file
    from m2rec.data.market.generate import cached_market
    from m2rec.data.market.picture import draw, example_customer

    market = cached_market()
    try:
        with atomic_file(file) as temporary:
            temporary.write_text(draw(market, example_customer(market), days), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}); give another place.") from error
    say(f"Drawn in {file}.")


app.command()(rhythms)
