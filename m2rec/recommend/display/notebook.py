"""An answer in a notebook: as a table of pandas, and as what a cell shows of it."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from m2rec.branches import BRANCHES, ORDERED, Evidence
from m2rec.recommend.parts import PerBranch, RankedItem
from m2rec.text_safety import printable

if TYPE_CHECKING:
    import pandas as pd

LONGEST_TITLE = 80  # characters


def frame(items: Sequence[RankedItem]) -> "pd.DataFrame":
    """One row an item, best first: rank, item_id, title, group, probability, and each branch's contribution to it."""
    import pandas as pd

    columns = ["rank", "item_id", "title", "group", "probability", *BRANCHES]
    rows = [
        (
            item.rank,
            item.item_id,
            item.title,
            item.group,
            item.probability,
            *(item.contributions[m] for m in BRANCHES),
        )
        for item in items
    ]
    return pd.DataFrame(rows, columns=columns)


def html(items: Sequence[RankedItem], gates: PerBranch, notes: Sequence[str], world: str) -> str:
    """A table with a bar for each item, the gate below it. Everything that people wrote is escaped."""
    top = max((item.probability for item in items), default=1.0) or 1.0
    rows = "".join(_row(item, top) for item in items)
    head = "".join(f'<th style="text-align:left">{name}</th>' for name in ("", "item", "group", "probability", ""))
    gate = " · ".join(f"{_swatch(kind)} {kind.name.lower()} {gates[kind.key]:.1%}" for kind in ORDERED)
    notes = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f"<div><p><b>What comes next in {escape(printable(world, LONGEST_TITLE))}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>Gate now: {gate}</p>{notes}</div>"
    )


def _row(item: RankedItem, top: float) -> str:
    bars = "".join(
        f'<span style="display:inline-block;height:.8em;width:{160 * item.contributions[kind.key] / top:.1f}px;'
        f'background:{kind.colour}" title="{kind.name.lower()} {item.contributions[kind.key]:.2%}"></span>'
        for kind in ORDERED
    )
    title, group = (escape(printable(text, LONGEST_TITLE)) for text in (item.title, item.group))
    return (
        f'<tr><td>{item.rank}</td><td style="text-align:left"><bdi>{title}</bdi></td>'
        f'<td style="text-align:left"><bdi>{group}</bdi></td>'
        f'<td>{item.probability:.2%}</td><td style="text-align:left;white-space:nowrap">{bars}</td></tr>'
    )


def _swatch(kind: Evidence) -> str:
    return f'<span style="color:{kind.colour}">{kind.mark}</span>'
