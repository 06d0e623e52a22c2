"""`python -m m2rec data …`"""

import typer

from m2rec.commands.data.download import download
from m2rec.commands.data.picture import picture
from m2rec.commands.data.rhythms import rhythms

app = typer.Typer()


@app.callback()
def data() -> None:
    """Data sets: download those that may not be shipped, draw the Rhythm Market, test for rhythms."""


for command in (download, picture, rhythms):
    app.command()(command)
