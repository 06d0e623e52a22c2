"""The market as files for any program: training data, and in a folder apart the causes.

    interactions    user, item, position (the day, from 0), of every customer
    items           item, title, text, group
    split           user, part (train, validation, test), first_target: targets are the positions from there on
    truth/          the cause of each target of a test customer, and the fair oracle's forecast (`truth.COLUMNS`)

The texts, the split and the oracle are those of the shipped world, so a model that is trained on an export is graded
on the same targets as M2Rec.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from m2rec.atomic import atomic_folder
from m2rec.data.dataset import Dataset
from m2rec.data.market.customers import TEST, VALIDATION
from m2rec.data.market.generate import customer_names, market_dataset
from m2rec.data.market.market import Market
from m2rec.data.market.settings import DEFAULT, MarketSettings
from m2rec.data.market.truth import write_truth
from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences
from m2rec.data.split import Split
from m2rec.errors import DataError
from m2rec.own_folder import OwnFolder
from m2rec.world_names import MARKET

Format = Literal["csv", "parquet", "recbole"]
TRUTH = Path("truth") / "targets.parquet"
SETTINGS = "settings.json"
CHECKSUMS = "SHA256SUMS"
RECBOLE_TYPES = {
    "user": "user_id:token",
    "item": "item_id:token",
    "position": "timestamp:float",
    "title": "title:token_seq",
    "text": "text:token_seq",
    "group": "group:token",
}

README = """# The Rhythm Market, exported

{customers:,} customers, {purchases:,} purchases of {items:,} items, a purchase a day. All made up; licence MIT.

| file | what is in it |
| --- | --- |
| `{interactions}` | `user`, `item`, `position` (the day, from 0), of every customer |
| `{catalogue}` | `item`, `title`, `text`, `group` |
| `{split}` | `user`, `part` (`train`, `validation`, `test`), `first_target` |
| `settings.json` | the constants of the process |
| `truth/targets.parquet` | causes of the test purchases and the fair oracle's forecasts: **not for training** |
| `SHA256SUMS` | checksums of all of these; `sha256sum -c SHA256SUMS` compares them |

The task: for each customer whose part is `test`, and for each position from `first_target` on, rank the items by how
likely they are to be bought at that position. The customer's own purchases before it may be read, as may everything of
the training customers; nothing of the validation and test customers may be learned from.

To be graded, write a CSV or Parquet file with `user`, `position`, `rank` (1 is best) and `item`, ten rows or more for
each target, {targets:,} targets, and give it to

    python -m m2rec market grade predictions.csv --market THIS_FOLDER

To have an explanation graded too, write a second file with `user`, `position` and three numbers a target, in columns
called `chain`, `rhythm` and `taste`: the higher the number, the more this cause is held to be behind the purchase.
"""


def _is_export(folder: Path) -> bool:
    try:
        listed = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    return any(line.endswith(f"  {TRUTH.as_posix()}") for line in listed)


EXPORT_FOLDER = OwnFolder(
    "an exported market",
    frozenset(
        {"README.md", SETTINGS, CHECKSUMS, TRUTH.as_posix(), f"{MARKET}.inter", f"{MARKET}.item"}
        | {f"{table}.{format}" for table in ("interactions", "items", "split") for format in ("csv", "parquet")}
    ),
    _is_export,
)


def export_market(market: Market, truth: pd.DataFrame, folder: Path, format: Format) -> dict[str, int]:
    """Write the market to `folder`, which is replaced whole or not at all, but for files that are none of an export's.
    → counts of what was written.

    `truth` is `truth.truth_of(market)`. Raises DataError when the disk does not take it, and InputError where the
    folder is neither empty nor an export.
    """
    EXPORT_FOLDER.refuse_others(folder)
    dataset = market_dataset(market)
    split = _split(market)
    interactions = dataset.interactions[["user", "item", "position"]]
    counts = {
        "customers": len(split),
        "purchases": len(interactions),
        "items": len(dataset.items),
        "targets": len(truth),
    }
    tables = _WRITERS[format](dataset, interactions, split)
    names = dict(zip(("interactions", "catalogue", "split"), tables, strict=True))
    try:
        with atomic_folder(folder, EXPORT_FOLDER.files) as fresh:
            for name, write in tables.items():
                write(fresh / name)
            (fresh / TRUTH).parent.mkdir()
            write_truth(truth, fresh / TRUTH)
            settings = json.dumps(asdict(market.settings), indent=2)
            (fresh / SETTINGS).write_text(settings + "\n", encoding="utf-8", newline="\n")
            (fresh / "README.md").write_text(README.format(**counts, **names), encoding="utf-8", newline="\n")
            (fresh / CHECKSUMS).write_text(_checksums(fresh), encoding="utf-8", newline="\n")
    except OSError as error:
        raise DataError(
            f"The market could not be written to {folder} ({error}); what was there before is unchanged."
        ) from error
    return counts


def read_items(folder: Path) -> set[str]:
    """The item ids of an exported market, in whichever format. Raises DataError when its items table is not there."""
    try:
        for path, read, column in (
            (folder / "items.csv", _read_separated(","), "item"),
            (folder / "items.parquet", pd.read_parquet, "item"),
            (folder / f"{MARKET}.item", _read_separated("\t"), RECBOLE_TYPES["item"]),
        ):
            if path.is_file():
                return set(read(path)[column].astype(str))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"The items in {folder} cannot be read ({error}); export the market again.") from error
    raise DataError(f"{folder} is not an exported market: it holds no items table.")


def read_changes(folder: Path) -> dict[str, Any]:
    """The constants of an exported market that differ from the shipped world's. Raises DataError like `read_items`."""
    try:
        settings = asdict(MarketSettings.from_values(json.loads((folder / SETTINGS).read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"The settings in {folder} cannot be read ({error}); export the market again.") from error
    return {name: value for name, value in settings.items() if value != getattr(DEFAULT, name)}


def read_export(folder: Path, item_ids: Sequence[str], warm_items: int) -> Prepared:
    """An exported market as evaluation reads it, items numbered in the order of `item_ids` and without their texts.

    Raises DataError when a table is missing or damaged, or names an item that is not among `item_ids`.
    """
    try:
        if (folder / "interactions.parquet").is_file():
            log, split = pd.read_parquet(folder / "interactions.parquet"), pd.read_parquet(folder / "split.parquet")
        elif (folder / f"{MARKET}.inter").is_file():
            log = _read_separated("\t")(folder / f"{MARKET}.inter")
            log = log.rename(columns={typed: plain for plain, typed in RECBOLE_TYPES.items()})
            split = _read_separated(",")(folder / "split.csv")
        else:
            log, split = (_read_separated(",")(folder / name) for name in ("interactions.csv", "split.csv"))
        rows = pd.Index(split["user"]).get_indexer(log["user"])
        items = pd.Index(item_ids).get_indexer(log["item"]) + 1
        position = log["position"].astype(float).astype(np.int64).to_numpy()
        part, first = split["part"].to_numpy(), split["first_target"].astype(np.int64).to_numpy()
    except FileNotFoundError as error:
        raise DataError(f"{folder} is not an exported market: it lacks {Path(error.filename).name}.") from None
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"The tables in {folder} cannot be read ({error}); export the market again.") from error
    if (rows < 0).any():
        raise DataError(f"{log['user'][int(np.argmax(rows < 0))]} of the interactions is not in the split table.")
    if (items < 1).any():
        raise DataError(f"The model has no item {log['item'][int(np.argmax(items < 1))]}, which this market sells.")
    order = np.lexsort((position, rows))
    lengths = np.bincount(rows, minlength=len(split)).astype(np.int64)
    sequences = Sequences(items[order].astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]))
    return _prepared(sequences, part, first, split["user"].tolist(), item_ids, warm_items)


def as_prepared(market: Market, item_ids: Sequence[str], warm_items: int) -> Prepared:
    """The same directly from a market, without files."""
    index = pd.Index(item_ids).get_indexer(market.shop.catalogue.table["item"]) + 1
    if (index < 1).any():
        raise DataError("This market sells items that the model does not have.")
    sequences = Sequences(index[market.sequences.events - 1].astype(np.int32), market.sequences.offsets)
    split = _split(market)
    part, first = split["part"].to_numpy(), split["first_target"].to_numpy(dtype=np.int64)
    return _prepared(sequences, part, first, split["user"].tolist(), item_ids, warm_items)


def _prepared(
    sequences: Sequences,
    part: np.ndarray,
    first: np.ndarray,
    users: list[str],
    item_ids: Sequence[str],
    warm_items: int,
) -> Prepared:
    """part object (U,) and first_target int64 (U,), as in the table of the split."""
    lengths = sequences.lengths
    held, start = part != "train", np.minimum(first, lengths)
    nothing = [""] * len(item_ids)
    return Prepared(
        name=MARKET,
        sequences=sequences,
        split=Split(
            np.where(held, 0, lengths),
            np.where(part == "validation", start, lengths),
            lengths.copy(),
            np.where(part == "test", start, lengths),
            lengths.copy(),
        ),
        user_ids=users,
        item_ids=list(item_ids),
        titles=nothing,
        texts=nothing,
        groups=nothing,
        warm_items=warm_items,
        train_counts=(np.arange(len(item_ids)) < warm_items).astype(np.int64),
        text_vectors=np.zeros((len(item_ids) + 1, 1), dtype=np.float32),
    )


def _read_separated(separator: str) -> Callable[[Path], pd.DataFrame]:
    return lambda path: pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)


_Write = Callable[[Path], None]


def _csv(dataset: Dataset, interactions: pd.DataFrame, split: pd.DataFrame) -> Mapping[str, _Write]:
    return {
        "interactions.csv": _separated(interactions),
        "items.csv": _separated(dataset.items),
        "split.csv": _separated(split),
    }


def _parquet(dataset: Dataset, interactions: pd.DataFrame, split: pd.DataFrame) -> Mapping[str, _Write]:
    def to(table: pd.DataFrame) -> _Write:
        return lambda path: table.to_parquet(path, index=False)

    return {"interactions.parquet": to(interactions), "items.parquet": to(dataset.items), "split.parquet": to(split)}


def _recbole(dataset: Dataset, interactions: pd.DataFrame, split: pd.DataFrame) -> Mapping[str, _Write]:
    """RecBole's atomic files; the split has no atomic file of its own and stays a CSV file."""
    # a token sequence is split at blanks and a line at tabs, which no text of the catalogue holds
    return {
        f"{MARKET}.inter": _separated(interactions.rename(columns=RECBOLE_TYPES), "\t"),
        f"{MARKET}.item": _separated(dataset.items.rename(columns=RECBOLE_TYPES), "\t"),
        "split.csv": _separated(split),
    }


_WRITERS: Mapping[Format, Callable[[Dataset, pd.DataFrame, pd.DataFrame], Mapping[str, _Write]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "recbole": _recbole,
}


def _separated(table: pd.DataFrame, separator: str = ",") -> _Write:
    return lambda path: table.to_csv(path, index=False, sep=separator, lineterminator="\n", encoding="utf-8")


def _split(market: Market) -> pd.DataFrame:
    roles, first = market.customers.roles, market.settings.first_target
    return pd.DataFrame(
        {
            "user": customer_names(len(roles)),
            "part": np.select([roles == TEST, roles == VALIDATION], ["test", "validation"], "train"),
            "first_target": np.where(roles == TEST, first, np.where(roles == VALIDATION, first, 0)),
        }
    )


def _checksums(folder: Path) -> str:
    """One line a file, as `sha256sum` writes and reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in files
    )
    return "".join(f"{line}\n" for line in lines)
