"""From two tables to item indices; only here the vocabulary is made."""

import numpy as np
import pandas as pd

from m2rec.data.dataset import Dataset
from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences
from m2rec.data.split import Split, SplitRule
from m2rec.data.text import Encoder
from m2rec.errors import DataError


def prepare(dataset: Dataset, split_rule: SplitRule, text_encoder: Encoder, needs: str | None = None) -> Prepared:
    """Order, split, number the items by their popularity in the training part alone, and encode their texts.

    Users keep the order in which the table first names them. Raises DataError when an interaction names an item that
    the catalogue lacks, or when the split leaves no training events. Where a model is to be trained, `needs` is what
    the split needs (`split_needs`), and pairs to learn from and targets are required too.
    """
    users, user_ids = pd.factorize(dataset.interactions["user"])
    order = np.lexsort((dataset.interactions["position"].to_numpy(), users))
    rows = dataset.interactions.iloc[order]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=len(user_ids)))]).astype(np.int64)

    chosen = pd.Index(dataset.items["item"]).get_indexer(rows["item"])  # (E,) rows of the catalogue
    if (chosen < 0).any():
        unknown = rows["item"].iloc[int(np.argmax(chosen < 0))]
        raise DataError(f"The interactions of {dataset.name} name the item {unknown!r}, which its items table lacks.")

    timestamps = rows["timestamp"].to_numpy(dtype=np.int64) if "timestamp" in rows else None
    provisional = Sequences(chosen.astype(np.int32) + 1, offsets)
    split = split_rule(provisional, timestamps)
    in_training = provisional.positions < np.repeat(split.train_end, provisional.lengths)
    counts = np.bincount(chosen[in_training], minlength=len(dataset.items)).astype(np.int64)
    if not counts.any():
        raise DataError(
            f"The split leaves nothing of {dataset.name} to learn from; {needs or 'longer histories are needed'}."
        )
    if needs:
        _refuse_too_little(dataset.name, split, provisional.lengths, needs)

    ranked = dataset.items.assign(count=counts).sort_values(["count", "item"], ascending=[False, True])
    index_of_row = np.empty(len(ranked), dtype=np.int32)
    index_of_row[ranked.index.to_numpy()] = np.arange(1, len(ranked) + 1)

    texts = ranked["text"].tolist()
    vectors = text_encoder.encode(texts)
    return Prepared(
        name=dataset.name,
        sequences=Sequences(index_of_row[chosen], offsets),
        split=split,
        user_ids=[str(user) for user in user_ids],
        item_ids=ranked["item"].tolist(),
        titles=ranked["title"].tolist(),
        texts=texts,
        groups=ranked["group"].tolist(),
        warm_items=int((counts > 0).sum()),
        train_counts=ranked["count"].to_numpy(),
        text_vectors=np.vstack([np.zeros((1, vectors.shape[1]), dtype=np.float32), vectors]),
        timestamps=timestamps,
    )


def _refuse_too_little(name: str, split: Split, lengths: np.ndarray, needs: str) -> None:
    """Checked before texts are encoded: training needs pairs, and evaluation needs targets."""
    most = int(lengths.max(initial=0))
    longest = f"The longest history of {name} has {most:,} event{'' if most == 1 else 's'}"
    if split.train_end.max(initial=0) < 2:
        raise DataError(f"{longest}, and no training part has two, so there is nothing to learn from; {needs}.")
    for part in ("validation", "test"):
        if not len(split.targets(part)[0]):
            raise DataError(f"{longest}, and the split leaves nothing for the {part}; {needs}.")
