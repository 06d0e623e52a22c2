"""`python -m m2rec data picture`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import say
from m2rec.errors import InputError


def picture(
    file: Annotated[Path, typer.Argument(help="The SVG file to write.")],
    days: Annotated[int, typer.Option(min=7, max=100, help="How many days to show.")] = 63,
) -> None:
    """Draw one customer of the Rhythm Market: every purchase with its cause, and the fair oracle's predictions."""
    from m2rec.atomic import atomic_file
    from m2rec.data.market.generate import cached_market
    from m2rec.data.market.picture import draw, example_customer

    market = cached_market()
    try:
        with atomic_file(file) as temporary:
            temporary.write_text(draw(market, example_customer(market), days), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}); give another file.") from error
    say(f"Wrote {file}.")
