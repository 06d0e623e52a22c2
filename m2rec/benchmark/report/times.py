"""Cells for times of models by history length, as `benchmark speed` records them."""

from typing import Any

Row = dict[str, Any]


def times_of(rows: list[Row], what: str) -> dict[tuple[str, int], Row]:
    """The rows of one kind of answer, by model and length."""
    return {(row["model"], row["length"]): row for row in rows if row["what"] == what}


def cell_of(times: dict[tuple[str, int], Row], model: str, length: int, figure: str, form: str) -> str:
    """One figure in the format `form`, or a dash where it was not measured."""
    value = times.get((model, length), {}).get(figure)
    return "–" if value is None else format(value, form)


def in_words(found: dict[str, float], digits: int = 1) -> str:
    """Ratios of times by history length, in words."""
    return ", ".join(f"{ratio:.{digits}f} after {int(length):,}" for length, ratio in found.items()) or "not measured"
