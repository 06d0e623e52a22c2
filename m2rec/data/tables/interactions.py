"""Your own data: a table of interactions, and one of items if there is one, with checks."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from m2rec.data.dataset import UNKNOWN_TIME, Dataset, chronological
from m2rec.data.tables import cells
from m2rec.data.tables.columns import INTERACTIONS, ITEMS, nearest, order_role
from m2rec.data.tables.problems import Problems, counted
from m2rec.data.tables.read import read_table_file
from m2rec.data.tables.table_file import TableFile
from m2rec.data.tables.times import DateOrder
from m2rec.errors import DataError
from m2rec.item_ids import INVENTED, LONGEST_ID
from m2rec.text_safety import LONGEST_QUOTE, printable, quoted

LONGEST_CELL = 100_000  # characters of a title, text or group; readers of CSV stop at 131,072
MOST_NAMES = 12  # columns that a message lists


def read_tables(
    interactions_path: Path,
    items_path: Path | None,
    name: str,
    *,
    columns: Mapping[str, str] | None = None,
    item_columns: Mapping[str, str] | None = None,
    dates: DateOrder | None = None,
) -> Dataset:
    """Read a table of interactions, and one of items or none.

    Interactions: `user`, `item`, and `timestamp` (what `read_times` reads) or `position` (any numbers that rise along a
    history); `rating` is optional. With both, `position` decides the order and a timestamp may be blank. Items: `item`,
    `title`, and optionally `text` (what the text encoder reads; the title where the column is absent) and `group`.
    Without an items table the ids are the titles, or `title` of `columns` names where the interactions have them.
    Columns are found by their usual names (columns.py) or by role → name in `columns` and `item_columns`.
    Ids become text as `normalised` has it. Rows of one user at the same time keep the file's order.

    Raises TableError with everything that is wrong, naming files and rows.
    """
    problems = Problems()
    log = _read(interactions_path, INTERACTIONS, columns or {}, problems)
    table = _read(items_path, ITEMS, item_columns or {}, problems) if items_path else None
    if log and columns and "title" in columns and items_path:
        problems.add("A title in --columns is for interactions without an items table; leave one of the two out.")
    if log:
        _require(log, INTERACTIONS, ("user", "item", ("timestamp", "position")), "--columns", problems)
    if table:
        _require(table, ITEMS, ("item", "title"), "--item-columns", problems)
    catalogue = _items(table, problems) if table and {"item", "title"} <= set(table.columns) else None
    interactions = _interactions(log, dates, problems) if log else None
    if log and interactions is not None and catalogue is not None and table:
        _all_there(log, interactions, catalogue, table.path, problems)
    problems.refuse()
    assert log is not None
    assert interactions is not None
    if catalogue is None:
        catalogue = _items_of(log, interactions)
    repeated = int(interactions.duplicated().sum())
    if repeated:
        log.notes.append(
            f"Rows that repeat another row of {log.path.name} exactly: {counted(repeated, 'row')}; they are kept, each "
            "as a choice of its own."
        )
    ordered = chronological(interactions.drop(columns="moment"), interactions["moment"].to_numpy())
    return Dataset(name, ordered, catalogue, notes=_notes([log, *([table] if table else [])]))


def _read(
    path: Path, names: Mapping[str, Sequence[str]], chosen: Mapping[str, str], problems: Problems
) -> TableFile | None:
    try:
        return read_table_file(path, names, chosen)
    except DataError as error:
        problems.add(error)
        return None


def _require(
    table: TableFile,
    names: Mapping[str, Sequence[str]],
    needed: Sequence[str | tuple[str, ...]],
    option: str,
    problems: Problems,
) -> None:
    """Collect all missing columns, those that were found, and how to give the mapping."""
    absent = [
        roles for role in needed if not set(roles := (role,) if isinstance(role, str) else role) & set(table.columns)
    ]
    if not absent:
        return
    rest = [column for column in table.present if column not in table.columns.values()]
    offered: dict[str, str] = {}
    for roles in absent:
        offered[roles[0]] = nearest(roles[0], [one for one in rest if one not in offered.values()], names) or "…"
    guess = ",".join(f"{role}={column}" for role, column in _guess(table, needed).items())
    if table.layout and not table.layout.header:
        which = " and ".join(" or ".join(roles) for roles in absent)
        problems.add(
            f"{table.path} has no header line: its first line is a row already, so no column is "
            f"known to be the {which}; "
            f"write a header, or say it by numbers, perhaps {option} {guess}."
        )
        return
    missing = ", ".join(" or ".join(repr(role) for role in roles) for roles in absent)
    taken = "".join(
        f"; {column!r} was taken for the {role}" for role, column in table.columns.items() if role != column
    )
    mapping = ",".join(f"{role}={column}" for role, column in offered.items())
    first_line = f" ({guess} where the first line is a row already)" if table.layout and not table.columns else ""
    problems.add(
        f"{table.path} has no column {missing} (found: {_listed(table.present)}{taken}); rename one, or add "
        f"{option} {mapping}{first_line}."
    )


def _guess(table: TableFile, needed: Sequence[str | tuple[str, ...]]) -> dict[str, str]:
    """The columns of a table without header in the order in which most tables have them."""
    roles = [role if isinstance(role, str) else role[0] for role in needed]
    numbers = [str(number) for number in range(1, len(table.present) + 1)]
    if len(numbers) >= 4 and "user" in roles:  # user, item, rating, time
        return {"user": "1", "item": "2", "rating": "3", "timestamp": "4"}
    return dict(zip(roles, numbers, strict=False))


def _listed(names: Sequence[str]) -> str:
    """Some names, shortened: a header can be of any length."""
    shown = [printable(name, LONGEST_QUOTE) for name in names[:MOST_NAMES]]
    return ", ".join([*shown, f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else shown)


# ── items ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _items(table: TableFile, problems: Problems) -> pd.DataFrame:
    items = cells.ids(table, "item", problems)
    repeated = (items.duplicated() & (items != "")).to_numpy()
    if repeated.any():
        place, others = table.places(repeated)
        item = items.iloc[int(np.argmax(repeated))]
        original, _ = table.places((items == item).to_numpy())
        problems.add(f"The item {quoted(item)} in {place} was already in {original}{others}.")
    _fit_for_an_id(table, items, problems)
    title = _short(table, "title", problems)
    group = _short(table, "group", problems) if "group" in table.columns else pd.Series("", index=items.index)
    return pd.DataFrame(
        {
            "item": items,
            "title": title.mask(title == "", items),
            "text": _short(table, "text", problems) if "text" in table.columns else title,
            "group": group.str.split("|").str[0].str.strip(),  # the first of several genres
        }
    ).reset_index(drop=True)


def _items_of(log: TableFile, interactions: pd.DataFrame) -> pd.DataFrame:
    """The items that were interacted with, called by the titles of their first rows or by their ids."""
    items = interactions["item"].drop_duplicates()
    title = pd.Series("", index=items.index)
    if "title" in log.columns:
        titles = cells.text(log, "title")
        named = pd.DataFrame({"item": interactions["item"], "title": titles})[titles != ""].drop_duplicates("item")
        title = items.map(named.set_index("item")["title"]).fillna("")
    else:
        log.notes.append("There is no items table, so the ids are the titles.")
    text = title.mask(title == "", items)
    return pd.DataFrame({"item": items, "title": text, "text": text, "group": ""}).reset_index(drop=True)


def _fit_for_an_id(table: TableFile, items: pd.Series, problems: Problems) -> None:
    """Ids are part of links, and a tilde in front marks an invented item."""
    long = (items.str.len() > LONGEST_ID).to_numpy()
    if long.any():
        place, others = table.places(long)
        problems.add(f"The item in {place} has more than {LONGEST_ID} characters{others}; give it a shorter id.")
    tilde = items.str.startswith(INVENTED).to_numpy()
    if tilde.any():
        place, others = table.places(tilde)
        problems.add(
            f"The item {quoted(items.iloc[int(np.argmax(tilde))])} in {place} begins with “~”, which marks a visitor's "
            f"own words{others}; give it another id."
        )


def _short(table: TableFile, role: str, problems: Problems) -> pd.Series:
    """A column of text, no cell longer than a catalogue takes."""
    found = cells.text(table, role)
    long = (found.str.len() > LONGEST_CELL).to_numpy()
    if long.any():
        place, others = table.places(long)
        problems.add(f"The {role} in {place} has more than {LONGEST_CELL:,} characters{others}; shorten it.")
    return found


# ── interactions ────────────────────────────────────────────────────────────────────────────────────────────────────


def _interactions(log: TableFile, dates: DateOrder | None, problems: Problems) -> pd.DataFrame | None:
    """`user`, `item`, `moment` (decides the order), and `timestamp` and `rating` if present."""
    found: dict[str, pd.Series | np.ndarray] = {}
    for role in ("user", "item"):
        if role in log.columns:
            found[role] = cells.ids(log, role, problems)
    by_position = order_role(log.columns) == "position"
    if by_position:
        found["moment"] = cells.numbers(log, "position", problems, blank_allowed=False)
    if "timestamp" in log.columns:
        seconds = cells.unix_seconds(log, "timestamp", problems, blank_allowed=by_position, order=dates)
        found["timestamp"] = np.where(np.isfinite(seconds), seconds, UNKNOWN_TIME).astype(np.int64)
        if not by_position:
            found["moment"] = seconds
    if "rating" in log.columns:
        found["rating"] = cells.numbers(log, "rating", problems, blank_allowed=True)
    if {"user", "item", "moment"} <= found.keys():
        if "title" in log.columns or "item" in found:
            _fit_for_an_id(log, pd.Series(found["item"]), problems)
        return pd.DataFrame(found)
    return None


def _all_there(
    log: TableFile, interactions: pd.DataFrame, catalogue: pd.DataFrame, items_path: Path, problems: Problems
) -> None:
    """Collect the items that the items table lacks, and ids that they resemble."""
    unknown = (~interactions["item"].isin(catalogue["item"]) & (interactions["item"] != "")).to_numpy()
    if not unknown.any():
        return
    missing = interactions["item"][unknown]
    place, others = log.places(unknown)
    count = missing.nunique()
    problems.add(
        f"The item {quoted(missing.iloc[0])} in {place} is not in {items_path}{_alike(missing, catalogue['item'])}"
        + (f"; in all {len(missing):,} rows name {count:,} items that are missing{others}" if len(missing) > 1 else "")
        + "; add it there."
    )


# Different spellings of one id by two programs.
WRITINGS: tuple[tuple[str, Callable[[pd.Series], pd.Series]], ...] = (
    ("in other letters, large or small", lambda ids: ids.str.casefold()),
    ("with decimals", lambda ids: ids.str.replace(r"\.0*$", "", regex=True)),
    ("with zeros in front", lambda ids: ids.str.lstrip("0")),
    ("in quotation marks", lambda ids: ids.str.strip("\"' ")),
    ("with other blanks and punctuation", lambda ids: ids.str.replace(r"[\W_]+", "", regex=True).str.casefold()),
)


def _alike(missing: pd.Series, known: pd.Series) -> str:
    """How at least half of the missing ids resemble ids of the items table."""
    distinct = pd.Series(missing.unique())
    for how, written in WRITINGS:
        there = dict(zip(written(known), known, strict=True))
        found = written(distinct).map(there)
        if 2 * found.notna().sum() >= len(distinct):
            row = int(found.notna().to_numpy().argmax())
            return f", but {quoted(found[row])} is: {int(found.notna().sum()):,} ids look like ids that are there {how}"
    return ""


def _notes(tables: Sequence[TableFile]) -> list[str]:
    notes = []
    for table in tables:
        unused = [column for column in table.present if column not in table.columns.values()]
        taken = ", ".join(
            f"{printable(column, LONGEST_QUOTE)} → {role}" if column != role else role
            for role, column in table.columns.items()
        )
        notes.append(f"Columns of {table.path.name}: {taken}" + (f"; not used: {_listed(unused)}." if unused else "."))
        notes += table.notes
        if table.blank_rows:
            notes.append(f"{counted(table.blank_rows, 'blank row')} of {table.path.name} passed over.")
    return notes
