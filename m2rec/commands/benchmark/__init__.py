"""`python -m m2rec benchmark …`"""

import typer

from m2rec.commands.benchmark.serve import serve

app = typer.Typer()


@app.callback()
def benchmark() -> None:
    """Measure how fast things are on this machine."""


app.command()(serve)
