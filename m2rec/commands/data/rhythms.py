"""`python -m m2rec data rhythms WORLD`"""

from dataclasses import asdict
from typing import Annotated

import typer

from m2rec.commands.output import Json, show, table
from m2rec.commands.places import find_world
from m2rec.data.cache import prepared_folder

PERIODS_SHOWN = 4


def rhythms(
    world: Annotated[str, typer.Argument(help="The name of a prepared world whose events have times.")],
    fewest: Annotated[int, typer.Option(min=3, help="Only people with at least this many different days.")] = 10,
    of_item: Annotated[
        int, typer.Option(min=3, help="Only cases of one person choosing one item on at least this many days.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random draws.")] = 0,
    json_file: Json = None,
) -> None:
    """Test for rhythms: compare periodograms of people's days, and of items they chose again, with random days.

    A case is significant if its highest peak exceeds those of 95 % of its random draws. Without rhythms this happens in
    5 % of the cases.
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
