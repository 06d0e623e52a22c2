"""How figures are written: with a standard deviation over seeds or, for one seed, an interval over users."""

from collections.abc import Mapping
from typing import Any

LEAST_P = 0.001  # smaller p values are shown as "p < 0.001"


def cell(value: float, *, sd: float | None = None, low: float | None = None, high: float | None = None) -> str:
    """A figure with its standard deviation or interval, if it has one."""
    if sd is not None:
        return f"{value:.4f} ± {sd:.4f}"
    return f"{value:.4f}" if low is None or high is None else f"{value:.4f} ({low:.3f}–{high:.3f})"


def figure(row: Mapping[str, Any], seen: str, metric: str) -> str:
    """One figure of a row of a benchmark table. Raises KeyError if the row does not have it."""
    value = float(row[seen][metric])
    if len(row["seeds"]) > 1:
        return cell(value, sd=row[f"{seen}_sd"][metric])
    low, high = row[f"{seen}_interval"][metric]
    return cell(value, low=low, high=high)


def gain(value: float, low: float, high: float) -> str:
    """A difference between two figures, with its interval."""
    return f"{value:+z.4f} ({low:+z.4f} to {high:+z.4f})"


def p_value(p: float) -> str:
    """A p value; values below `LEAST_P` are shown as such."""
    return f"p < {LEAST_P}" if p < LEAST_P else f"p = {p:.3f}"
