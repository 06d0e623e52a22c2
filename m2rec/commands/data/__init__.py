"""`python -m m2rec data …`"""

import typer

from m2rec.commands.data.download import download
from m2rec.commands.data.picture import picture
from m2rec.commands.data.rhythms import rhythms

app = typer.Typer()


@app.callback()
def data() -> None:
    """Data sets: fetch those that may not be shipped, picture our own, look for rhythms."""


for command in (download, picture, rhythms):
    app.command()(command)
