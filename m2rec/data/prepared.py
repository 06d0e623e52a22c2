"""A data set ready for training: item indices instead of ids, the split, and text vectors."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from m2rec.atomic import atomic_folder
from m2rec.data.sequences import Sequences
from m2rec.data.split import Split
from m2rec.errors import DataError

FORMAT = 1  # of the folder; rises when a reader of the old format would misread the new one
SPLIT_ARRAYS = ("train_end", "validation_from", "validation_to", "test_from", "test_to")


@dataclass(frozen=True)
class Prepared:
    """The data that training and evaluation read. U users, V items, E events.

    Item index i (1…V) is `item_ids[i - 1]`. Items 1…warm_items occur in the training part, most popular first,
    ties by id; items warm_items+1…V are cold: they have no training events and are ranked by their text alone.
    """

    name: str
    sequences: Sequences
    split: Split
    user_ids: list[str]  # (U,)
    item_ids: list[str]  # (V,)
    titles: list[str]  # (V,)
    texts: list[str]  # (V,) what the text encoder read
    groups: list[str]  # (V,)
    warm_items: int
    train_counts: np.ndarray  # int64 (V,) events of the training part
    text_vectors: np.ndarray  # float32 (V+1, width) unit length; zeros in row 0 (padding) and where there is no text
    timestamps: np.ndarray | None = None  # int64 (E,) unix seconds, -1 where unknown

    def __post_init__(self) -> None:
        n_users, n_items, n_events = len(self.sequences), len(self.item_ids), len(self.sequences.events)
        for what, length, expected in (
            ("user_ids", len(self.user_ids), n_users),
            ("titles", len(self.titles), n_items),
            ("texts", len(self.texts), n_items),
            ("groups", len(self.groups), n_items),
            ("train_counts", len(self.train_counts), n_items),
            ("text_vectors", len(self.text_vectors), n_items + 1),
            ("timestamps", n_events if self.timestamps is None else len(self.timestamps), n_events),
        ):
            if length != expected:
                raise ValueError(f"{what} has {length} rows, expected {expected}")
        if n_events and self.sequences.events.max() > n_items:
            raise ValueError(f"the sequences name item {self.sequences.events.max()}, there are {n_items}")
        if len(set(self.item_ids)) != n_items:
            raise ValueError("item_ids repeat")
        if not ((self.train_counts[: self.warm_items] > 0).all() and (self.train_counts[self.warm_items :] == 0).all()):
            raise ValueError("warm_items must end where the training counts become zero")
        if self.text_vectors.ndim != 2 or self.text_vectors.dtype != np.float32:
            raise ValueError("text_vectors must be float32 (V+1, width)")
        if not np.isfinite(self.text_vectors).all() or self.text_vectors[0].any():
            raise ValueError("text_vectors must be finite, and zero for padding")
        self.split.check(self.sequences.lengths)

    @property
    def item_count(self) -> int:
        """V, the number of items that are ranked."""
        return len(self.item_ids)

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Item id to item index 1…V."""
        return {item: index for index, item in enumerate(self.item_ids, start=1)}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over sequences, item ids and split: equal for equal data."""
        digest = hashlib.sha256(json.dumps(self.item_ids).encode())
        digest.update(self.sequences.events.astype("<i4").tobytes())
        for array in (self.sequences.offsets, *(getattr(self.split, name) for name in SPLIT_ARRAYS)):
            digest.update(array.astype("<i8").tobytes())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write arrays.safetensors, items.parquet, users.parquet, prepared.json; `folder` is replaced whole or not."""
        arrays = {
            "events": self.sequences.events,
            "offsets": self.sequences.offsets,
            "train_counts": self.train_counts,
            "text_vectors": self.text_vectors,
            **{name: getattr(self.split, name) for name in SPLIT_ARRAYS},
        }
        if self.timestamps is not None:
            arrays["timestamps"] = self.timestamps
        about = {
            "format": FORMAT,
            "name": self.name,
            "fingerprint": self.fingerprint,
            "warm_items": self.warm_items,
            "users": len(self.user_ids),
            "items": self.item_count,
            "events": len(self.sequences.events),
        }
        catalogue = {"item": self.item_ids, "title": self.titles, "text": self.texts, "group": self.groups}
        text = pa.string()
        try:
            with atomic_folder(folder) as fresh:
                save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, _arrays(fresh))
                items = {column: pa.array(values, text) for column, values in catalogue.items()}
                pq.write_table(pa.table(items), fresh / "items.parquet")
                pq.write_table(pa.table({"user": pa.array(self.user_ids, text)}), fresh / "users.parquet")
                (fresh / "prepared.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"The prepared data could not be saved to {folder} ({error}); free some space or set M2REC_CACHE "
                "to a writable folder, what was there before is unchanged."
            ) from error

    @classmethod
    def load(cls, folder: Path) -> "Prepared":
        """Read what `save` wrote. Raises DataError when it is missing, damaged, or not what its fingerprint says."""
        if not (folder / "prepared.json").is_file():
            raise DataError(
                f"There is no prepared data in {folder}; make it with `python -m m2rec prepare {folder.name}`."
            )
        try:
            about = json.loads((folder / "prepared.json").read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}, this version reads {FORMAT}")
            prepared = cls._read(folder, about)
            if prepared.fingerprint != about["fingerprint"]:
                raise ValueError("its contents do not match its fingerprint")
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError, pa.ArrowException) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise DataError(
                f"The prepared data in {folder} cannot be used ({reason}); "
                f"make it again with `python -m m2rec prepare {folder.name}`."
            ) from error
        return prepared

    @classmethod
    def _read(cls, folder: Path, about: dict) -> "Prepared":
        arrays = load_file(_arrays(folder))
        items = pq.read_table(folder / "items.parquet")
        return cls(
            name=about["name"],
            sequences=Sequences(arrays["events"], arrays["offsets"]),
            split=Split(**{name: arrays[name] for name in SPLIT_ARRAYS}),
            user_ids=pq.read_table(folder / "users.parquet")["user"].to_pylist(),
            item_ids=items["item"].to_pylist(),
            titles=items["title"].to_pylist(),
            texts=items["text"].to_pylist(),
            groups=items["group"].to_pylist(),
            warm_items=about["warm_items"],
            train_counts=arrays["train_counts"],
            text_vectors=arrays["text_vectors"],
            timestamps=arrays.get("timestamps"),
        )


def _arrays(folder: Path) -> Path:
    return folder / "arrays.safetensors"
