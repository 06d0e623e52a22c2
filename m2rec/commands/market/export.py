"""`python -m m2rec market export`"""

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from m2rec.commands.market.stress import MOST_CUSTOMERS
from m2rec.commands.output import Json, show, table
from m2rec.errors import InputError

if TYPE_CHECKING:
    from m2rec.data.market.settings import MarketSettings

LONGEST = 2_000  # days


def export(
    folder: Annotated[Path, typer.Argument(help="Folder for the files; an older export there is replaced.")],
    format: Annotated[Literal["csv", "parquet", "recbole"], typer.Option(help="Format of the tables.")] = "csv",
    customers: Annotated[int | None, typer.Option(min=10, max=MOST_CUSTOMERS, help="Number of customers.")] = None,
    days: Annotated[
        int | None,
        typer.Option(min=58, max=LONGEST, help="Days of the longest history; the shortest has half."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of the random numbers.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change a setting of the process, such as slip=0.06, miss=0.1, taste_share=0.6 (the rest is noise), "
            "interest_shift=0.03, chain_strength=0.5, catalogue_share=0.5, rhythm_counts=(0.5,0.5,0,0). "
            "May be repeated.",
        ),
    ] = None,
    json_file: Json = None,
) -> None:
    """Write purchases, items and split and, in a folder of their own, the causes and the fair oracle's predictions.

    The default is the shipped world. The oracle takes minutes for 20,000 customers; its predictions are cached.
    """
    from m2rec.data.market.export import EXPORT_FOLDER, export_market
    from m2rec.data.market.generate import cached_market, generate
    from m2rec.data.market.settings import DEFAULT
    from m2rec.data.market.truth import cached_truth

    settings = _settings(customers, days, seed, change or [])
    EXPORT_FOLDER.refuse_others(folder)
    try:
        made = cached_market() if settings == DEFAULT else generate(settings)
    except ValueError as error:
        raise InputError(f"Such a market cannot be made: {error}.") from error
    counts = export_market(made, cached_truth(made), folder, format)
    shown = table("Exported", "what", "count")
    shown.add_row("folder", str(folder))
    for what, count in counts.items():
        shown.add_row(what, f"{count:,}")
    show({"folder": str(folder), **counts}, json_file, shown)


def _settings(customers: int | None, days: int | None, seed: int | None, changes: list[str]) -> "MarketSettings":
    """The default settings with these changes. Raises InputError for an invalid one."""
    from dataclasses import fields, replace

    from m2rec.data.market.settings import DEFAULT

    known = {field.name for field in fields(DEFAULT)}
    wanted: dict[str, Any] = {"customers": customers, "seed": seed}
    if days is not None:
        wanted |= {"longest": days, "shortest": days // 2, "arrivals_from": min(DEFAULT.arrivals_from, days // 2)}
    for change in changes:
        name, _, text = (part.strip() for part in change.partition("="))
        if name not in known:
            raise InputError(f"{name!r} is not a setting of the market; there are {', '.join(sorted(known))}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise InputError(f"{change!r} is not of the form name=number, or name=(number, …).") from None
        default = getattr(DEFAULT, name)
        if isinstance(default, tuple) != isinstance(value, tuple) or not _numbers_only(value):
            raise InputError(f"{name} is {default}; give a value of the same kind, not {text}.")
        if isinstance(default, int) and not isinstance(value, int):
            raise InputError(f"{name} is a whole number, not {text}.")
        wanted[name] = value
    try:
        return replace(DEFAULT, **{name: value for name, value in wanted.items() if value is not None})
    except (ValueError, TypeError) as error:
        raise InputError(f"Such a market cannot be made: {error}.") from error


def _numbers_only(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_numbers_only, value))
    return isinstance(value, int | float) and not isinstance(value, bool)
