"""`python -m m2rec data picture`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import say
from m2rec.errors import InputError


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
