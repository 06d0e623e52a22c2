"""`python -m m2rec data rhythms WORLD`"""

from dataclasses import asdict
from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table
from m2rec.commands.places import find_world
from m2rec.data.cache import prepared_folder

PERIODS_SHOWN = 4


def rhythms(
    world: Annotated[str, typer.Argument(help="A prepared world's name whose events have times.")],
    fewest: Annotated[int, typer.Option(min=3, help="Only people with so many different days.")] = 10,
    of_item: Annotated[int, typer.Option(min=3, help="Only items that one person chose on so many days.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draws.")] = 0,
    json_file: Json = None,
) -> None:
    """Test for rhythms: periodograms of people's days and of items that they chose again, against random days.

    A case is significant where its highest peak is above those of 95 % of its own random draws; where there are no
    rhythms, 5 % of the cases are.
    """
    from m2rec.data.prepared import Prepared
    from m2rec.evaluation.rhythms import rhythms as look_for

    found = look_for(Prepared.load(prepared_folder(find_world(world).name)), fewest, of_item, seed)
    shown = table(
        f"Rhythms in {world}: significant at 5 %",
        "of",
        "against as many drawn from",
        "cases",
        "significant",
        "share (95 % interval)",
        "p",
        "periods of the significant",
        text=2,
    )
    for one in found:
        most = list(one.periods.items())[:PERIODS_SHOWN]
        shown.add_row(
            one.what,
            one.drawn_from,
            f"{one.cases:,}",
            f"{one.significant:,}",
            f"{one.share:.3f} ({one.low:.3f}–{one.high:.3f})",
            "< 0.001" if one.p < 0.001 else f"{one.p:.3f}",
            ", ".join(f"{period}: {count}" for period, count in most) or "none",
        )
    show([asdict(one) for one in found], json_file, shown)
