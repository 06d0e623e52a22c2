"""A row of a Markdown table."""

from collections.abc import Iterable


def line(cells: Iterable[str]) -> str:
    """One row; a table is a row of heads, one of "---", and the others."""
    return "| " + " | ".join(cells) + " |"
