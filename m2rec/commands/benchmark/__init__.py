"""`python -m m2rec benchmark …`"""

import typer

from m2rec.commands.benchmark.load import load
from m2rec.commands.benchmark.pictures import pictures
from m2rec.commands.benchmark.readme import readme
from m2rec.commands.benchmark.serve import serve
from m2rec.commands.benchmark.speed import speed
from m2rec.commands.benchmark.take import take
from m2rec.commands.benchmark.train import train
from m2rec.commands.benchmark.ui import ui
from m2rec.commands.benchmark.worker import worker

app = typer.Typer()


@app.callback()
def benchmark() -> None:
    """Measure accuracy, speed and the page, and write the results."""


for command in (serve, speed, ui, load, train, take, readme, pictures):
    app.command()(command)
app.command(hidden=True)(worker)
