"""`python -m m2rec market …`"""

import typer

from m2rec.commands.market.export import export
from m2rec.commands.market.grade import grade
from m2rec.commands.market.predict import predict
from m2rec.commands.market.shoppers import shoppers
from m2rec.commands.market.stress import stress

app = typer.Typer()


@app.callback()
def market() -> None:
    """The Rhythm Market as a benchmark for any program: export it, and grade predictions."""


for command in (export, predict, grade, stress, shoppers):
    app.command()(command)
