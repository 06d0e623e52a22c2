"""What the shop sells, how well, and what follows what: catalogue.csv, kinds.csv and chains.csv as arrays."""

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent
TABLES = ("catalogue.csv", "kinds.csv", "chains.csv")


@dataclass(frozen=True)
class Catalogue:
    """V items of K kinds and T themes. Item index i (1…V) is row i - 1; index 0 is no item.

    A theme (camping, newborn, …) runs across kinds and departments; only the texts show which items belong to it.
    `follow_ups[a, b]` is the probability that a customer who bought kind a yesterday, and for whom no rhythm is due,
    buys kind b because of it.
    """

    table: pd.DataFrame  # item, title, text, group, kind; one row for each item
    kinds: tuple[str, ...]  # (K,)
    kind: np.ndarray  # int (V,) index into kinds
    place: np.ndarray  # int (V,) 1, 2, … within the kind: the catalogue lists the best seller of each kind first
    sales: np.ndarray  # int (K,) how often things of this kind are bought, on a scale from 1 to 10
    themes: tuple[str, ...]  # (T,)
    in_theme: np.ndarray  # bool (T, V); many items are in no theme, some in two
    arrival: np.ndarray  # bool (V,) new in the shop: no training customer could buy it
    follow_ups: np.ndarray  # float64 (K, K), rows sum to less than 1


@cache
def load_catalogue() -> Catalogue:
    """The catalogue as shipped; items and kinds in the order of the file, themes by name."""
    table = pd.read_csv(FOLDER / "catalogue.csv", keep_default_na=False)
    chains = pd.read_csv(FOLDER / "chains.csv")
    kind, kinds = pd.factorize(table["kind"])
    tags = [set(cell.split(";")) - {""} for cell in table["themes"]]
    themes = sorted(set().union(*tags))
    follow_ups = np.zeros((len(kinds), len(kinds)))
    rows, columns = (kinds.get_indexer(chains[name]) for name in ("kind", "follower"))
    follow_ups[rows, columns] = chains["weight"] / 100
    return Catalogue(
        table=table[["item", "title", "text", "group", "kind"]],
        kinds=tuple(kinds),
        kind=kind,
        place=table.groupby("kind").cumcount().to_numpy() + 1,
        sales=pd.read_csv(FOLDER / "kinds.csv").set_index("kind")["sales"].loc[kinds].to_numpy(),
        themes=tuple(themes),
        in_theme=np.array([[theme in tag for tag in tags] for theme in themes]),
        arrival=table["arrival"].to_numpy(dtype=bool),
        follow_ups=follow_ups,
    )


def best_sellers(catalogue: Catalogue, share: float) -> Catalogue:
    """The catalogue with only this share of each kind's items, rounded up, and of each kind's new arrivals.

    Raises ValueError where a theme would have no item left that is not an arrival.
    """
    kept = np.zeros(len(catalogue.kind), dtype=bool)
    for kind in range(len(catalogue.kinds)):
        for arrival in (False, True):
            rows = np.flatnonzero((catalogue.kind == kind) & (catalogue.arrival == arrival))
            kept[rows[: math.ceil(share * len(rows))]] = True
    for theme, members in zip(catalogue.themes, catalogue.in_theme, strict=True):
        if not (members & kept & ~catalogue.arrival).any():
            raise ValueError(f"a catalogue_share of {share} leaves the theme {theme} without an item")
    table = catalogue.table[kept].reset_index(drop=True)
    return replace(
        catalogue,
        table=table,
        kind=catalogue.kind[kept],
        place=table.groupby("kind").cumcount().to_numpy() + 1,
        in_theme=catalogue.in_theme[:, kept],
        arrival=catalogue.arrival[kept],
    )


def fingerprint() -> str:
    """SHA-256 over the shipped tables: other tables make another world."""
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update((FOLDER / name).read_bytes().replace(b"\r\n", b"\n"))  # a checkout may change line ends
    return digest.hexdigest()
