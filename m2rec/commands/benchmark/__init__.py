"""`python -m m2rec benchmark …`"""

import typer

from m2rec.commands.benchmark.load import load
from m2rec.commands.benchmark.readme import readme
from m2rec.commands.benchmark.serve import serve
from m2rec.commands.benchmark.speed import speed
from m2rec.commands.benchmark.train import train

app = typer.Typer()


@app.callback()
def benchmark() -> None:
    """Measure how fast things are on this machine, and how well models rank."""


for command in (serve, speed, load, train, readme):
    app.command()(command)
