"""`python -m m2rec market shoppers`"""

from pathlib import Path
from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table


def shoppers(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    json_file: Json = None,
) -> None:
    """Write four test customers of the shipped market, with causes and oracle predictions, for the page's presets."""
    from m2rec.atomic import atomic_file
    from m2rec.data.market.generate import cached_market
    from m2rec.data.market.shoppers import shoppers_of

    found = shoppers_of(cached_market())
    with atomic_file(file) as temporary:
        found.to_csv(temporary, index=False)
    shown = table("Shoppers", "key", "user", "days")
    counts = found.groupby(["key", "user"], sort=False).size()
    for (key, user), days in counts.items():
        shown.add_row(key, user, str(days))
    show({key: {"user": user, "days": int(days)} for (key, user), days in counts.items()}, json_file, shown)
