"""What to know about a data set before training: repeats, tied times, unused ratings, one date for all rows."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from m2rec.data.dataset import Dataset
from m2rec.data.tables.times import SECONDS_A_DAY

RECURRING = 0.1  # share of events that repeat an item of the same history from which items count as recurring


@dataclass(frozen=True)
class Description:
    """Two figures, and sentences about the rest."""

    repeats: float  # share of events whose item the same user chose before
    tied_times: float | None  # share of events at the same time as the user's event before; None without times
    notes: tuple[str, ...]


def describe(dataset: Dataset) -> Description:
    """Describe a data set after filtering."""
    rows = dataset.interactions
    repeats = float(rows.duplicated(["user", "item"]).mean())
    notes = [f"{repeats:.1%} of the {len(rows):,} events repeat an item that the same user chose before."]
    tied = _tied(rows)
    if tied is not None:
        notes += _about_times(rows, tied)
    if "rating" in rows and rows["rating"].notna().any():
        low, high = rows["rating"].min(), rows["rating"].max()
        notes.append(
            f"Ratings are not used ({low:g} to {high:g}): every row counts as one choice, whatever its rating."
        )
    return Description(repeats, tied, tuple(notes))


def variants_for(repeats: float, with_titles: bool) -> tuple[dict[str, str], str]:
    """The variants of two branches that fit, and a sentence with the figure that decided it: `repeats`, the share of
    training events that are repeats (`m2rec.data.repeats.repeat_share`), since targets must not decide.

    Where items recur, the frequency branch scores which one is due (`periodic`) and the semantic branch has a belief
    over themes; where hardly any recur, the frequency branch filters the items' vectors (`spectral`) and the semantic
    branch has decayed means of texts, as for films. Themes need titles, because they depend on texts alone.
    """
    recurring = repeats >= RECURRING
    chosen = {
        "frequency": "periodic" if recurring else "spectral",
        "semantic": "themes" if recurring and with_titles else "means",
    }
    why = f"{repeats:.1%} of the training events are repeats, and from {RECURRING:.0%} on items count as recurring"
    if recurring and not with_titles:
        why += "; without titles there are no themes"
    settings = " and ".join(f'{name} = "{value}"' for name, value in chosen.items())
    return chosen, f"The model's defaults are {settings}, because {why}."


def _tied(rows: pd.DataFrame) -> float | None:
    if "timestamp" not in rows or not (rows["timestamp"] >= 0).any():
        return None
    ordered = rows.sort_values(["user", "position"], kind="stable")
    same = (ordered["timestamp"] == ordered["timestamp"].shift()) & (ordered["user"] == ordered["user"].shift())
    return float((same & (ordered["timestamp"] >= 0)).mean())


def _about_times(rows: pd.DataFrame, tied: float) -> list[str]:
    known = rows.loc[rows["timestamp"] >= 0, "timestamp"].to_numpy()
    if len(known) > 1 and (known == known[0]).all():
        moment = datetime.fromtimestamp(int(known[0]), UTC)
        return [f"All rows have one and the same time, {moment:%Y-%m-%d}, so their order is that of the file."]
    notes = []
    if tied:
        notes.append(
            f"{tied:.1%} of the events have the same time as the user's event before; they keep the order of the file."
        )
    if np.max(known) < 366 * SECONDS_A_DAY:
        notes.append(
            "All times lie in 1970: where they are not seconds since then but years, days or running numbers, the "
            "order is right and dates are not."
        )
    if len(known) < len(rows):
        notes.append(f"{len(rows) - len(known):,} events have no time; their place comes from the position.")
    return notes
