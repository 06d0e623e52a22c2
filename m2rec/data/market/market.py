"""The finished world: every purchase with its true cause, and every customer with all parameters."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from m2rec.atomic import atomic_folder
from m2rec.data.market.customers import Customers
from m2rec.data.market.settings import MarketSettings
from m2rec.data.market.shop.catalogue import fingerprint
from m2rec.data.market.shop.shop import Shop, open_shop
from m2rec.data.sequences import Sequences
from m2rec.errors import DataError

FORMAT = 1  # rises when the same settings and catalogue make another world, or the arrays change their meaning
SETTINGS, ARRAYS = "market.json", "arrays.safetensors"


@dataclass(frozen=True)
class Market:
    """U customers, E purchases; arrays over purchases are in the order of `sequences.events`."""

    settings: MarketSettings
    customers: Customers
    sequences: Sequences  # item indices in the order of the catalogue; a position is a day
    causes: np.ndarray  # int8 (E,) codes of `CAUSES`: 0 rhythm, 1 chain, 2 taste, 3 noise
    periods: np.ndarray  # int8 (E,) of the rhythm behind a purchase, 0 where there is none
    cycles: np.ndarray  # int16 (E,) how often that rhythm had occurred before, 0 where there is none
    interests: np.ndarray  # int8 (E, 2) the customer's first and second interest on that day, as themes

    @cached_property
    def shop(self) -> Shop:
        """The shop of these settings."""
        return open_shop(self.settings)

    def days(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """An array over purchases as one over the days of some customers: (E, …) → (C, D, …), 0 after the last day.

        D is the longest history among these customers.
        """
        lengths = self.sequences.lengths[rows]
        table = np.zeros((len(rows), lengths.max(initial=0), *values.shape[1:]), dtype=values.dtype)
        table[in_history(lengths)] = values[self.events_of(rows)]
        return table

    def events_of(self, rows: np.ndarray) -> np.ndarray:
        """Indices of the purchases of some customers, int64, customer by customer."""
        starts, lengths = self.sequences.offsets[rows], self.sequences.lengths[rows]
        return (starts[:, None] + np.arange(lengths.max(initial=0)))[in_history(lengths)]

    def save(self, folder: Path) -> None:
        """Write market.json and arrays.safetensors; `folder` is replaced whole or not at all.

        Raises DataError when the disk does not take it.
        """
        arrays = {
            "events": self.sequences.events,
            "offsets": self.sequences.offsets,
            **{f"customers.{name}": values for name, values in vars(self.customers).items()},
            **{name: getattr(self, name) for name in ("causes", "periods", "cycles", "interests")},
        }
        about = {"format": FORMAT, "catalogue": fingerprint(), "settings": json.loads(self.settings.to_json())}
        try:
            with atomic_folder(folder) as fresh:
                save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, fresh / ARRAYS)
                (fresh / SETTINGS).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        except (OSError, SafetensorError) as error:
            raise DataError(
                f"The market could not be saved to {folder} ({error}); free some space or set M2REC_CACHE to a "
                "writable folder, what was there before is unchanged."
            ) from error

    @classmethod
    def load(cls, folder: Path) -> "Market":
        """Read what `save` wrote. Raises DataError when it is missing, damaged, or of another format or catalogue."""
        try:
            about = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}, this version reads {FORMAT}")
            if about["catalogue"] != fingerprint():
                raise ValueError("it was made from another catalogue")
            arrays = load_file(folder / ARRAYS)
            sequences = Sequences(arrays.pop("events"), arrays.pop("offsets"))
            names = [name for name in arrays if name.startswith("customers.")]
            customers = Customers(**{name.removeprefix("customers."): arrays.pop(name) for name in names})
            return cls(MarketSettings.from_values(about["settings"]), customers, sequences, **arrays)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
            raise DataError(
                f"There is no usable market in {folder} ({error}); delete the folder and it is made anew."
            ) from error


def in_history(lengths: np.ndarray) -> np.ndarray:
    """The days of the longest history that are within each customer's own: lengths int (C,) → bool (C, D)."""
    return np.arange(lengths.max(initial=0)) < lengths[:, None]
