"""Tables in JSON: one object a line, as Amazon's reviews are published, or one list of objects."""

import ast
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from m2rec.data.tables.problems import Problems, listed_rows

KEYS_FROM = 1000  # objects whose keys are the columns
DEEPEST = 8  # lists in lists


def is_list(head: str) -> bool:
    """Whether the text is one JSON list and not an object a line."""
    return head.lstrip("\ufeff \t\r\n").startswith("[")


def objects(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line number from 1, and the object on it, or None where there is none; blank lines are skipped.

    Lines in Python's own notation ({'asin': …}), which the older Amazon metadata has, are read too.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip().strip("\ufeff"):
            yield number, _object(line.lstrip("\ufeff"))


def objects_of_list(text: str) -> list[dict[str, Any] | None]:
    """The objects of one JSON list. Raises ValueError where it is none."""
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("it is not a list")
    return [one if isinstance(one, dict) else None for one in found]


def columns_of(found: Iterable[tuple[int, dict[str, Any] | None]]) -> list[str]:
    """The keys of the first objects, in the order in which they appear."""
    keys: dict[str, None] = {}
    for count, (_, one) in enumerate(found):
        if count == KEYS_FROM:
            break
        keys |= dict.fromkeys(one or {})
    return list(keys)


def cells_of(
    found: Callable[[], Iterable[tuple[int, dict[str, Any] | None]]],
    columns: Sequence[str],
    problems: Problems,
    where: str,
) -> tuple[list[int], dict[str, list[str]]]:
    """The lines of the objects and, for each column, their cells as text."""
    numbers: list[int] = []
    cells: dict[str, list[str]] = {column: [] for column in columns}
    wrong: list[int] = []
    for number, one in found():
        if one is None:
            wrong.append(number)
            continue
        numbers.append(number)
        for column in columns:
            cells[column].append(as_text(one.get(column)))
    if wrong:
        rows = f"Line {wrong[0]} of {where} is" if len(wrong) == 1 else f"Lines {listed_rows(wrong)} of {where} are"
        problems.add(
            f'{rows} no JSON object ({len(wrong):,} in all); every line must be one, such as {{"asin": "b1"}}.'
        )
    return numbers, cells


def as_text(value: Any, depth: int = 0) -> str:
    """A value as a cell: the parts of a list are separated by bars."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "|".join(filter(None, (as_text(part, depth + 1) for part in value))) if depth < DEEPEST else ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        if not line.lstrip().startswith("{'"):
            return None
        try:
            found = ast.literal_eval(line.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
    return found if isinstance(found, dict) else None
