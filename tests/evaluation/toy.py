"""A data set of seven items from histories written down in a test."""

from collections.abc import Sequence

import numpy as np

from m2rec.data.prepared import Prepared
from m2rec.data.sequences import Sequences
from m2rec.data.split import Split, leave_one_out

V = 7


def prepared_from(histories: Sequence[Sequence[int]], split: Split | None = None) -> Prepared:
    """Users with these histories of items 1…7, the last of which is cold; leave-one-out unless a split is given."""
    sequences = Sequences.from_lists(histories)
    split = split or leave_one_out(sequences)
    counts = np.ones(V, dtype=np.int64)
    counts[-1] = 0  # the last item is cold
    return Prepared(
        name="toy",
        sequences=sequences,
        split=split,
        user_ids=[f"u{user}" for user in range(len(sequences))],
        item_ids=[f"i{item}" for item in range(1, V + 1)],
        titles=[""] * V,
        texts=[""] * V,
        groups=[""] * V,
        warm_items=V - 1,
        train_counts=counts,
        text_vectors=np.zeros((V + 1, 2), dtype=np.float32),
    )
