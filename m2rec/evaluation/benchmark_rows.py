"""What RESULTS.md and the page both say of the rows of a benchmark table."""

from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def has_repeat_bias(row: Row) -> bool:
    """Whether the baseline of a row of a benchmark table has a repeat bias."""
    return bool(row.get("settings", {}).get("repeat_bias"))


def seed_count(row: Row) -> int | None:
    """Over how many seeds the figures of a row, which lists or counts them, are means; None if it does not say."""
    seeds = row.get("seeds")
    return len(seeds) if isinstance(seeds, list) else seeds or None


def remarks(rows: Iterable[Row]) -> str:
    """A sentence, with a blank in front, for each row of which readers must know something, as that it is outdated."""
    return "".join(f" {row['model']} was {row['remark']}." for row in rows if row.get("remark"))
