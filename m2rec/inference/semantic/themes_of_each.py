"""The weights of the themes after each of several histories, of which each is read from where it first differs.

The symbols are those of `m2rec/inference/semantic/themes.py`.
"""

from typing import TYPE_CHECKING

import numpy as np

from m2rec.inference.branch import BranchInput
from m2rec.inference.semantic.blocks import blocks

if TYPE_CHECKING:
    from m2rec.inference.semantic.themes import Themes


def newest_themes(branch: "Themes", given: BranchInput) -> np.ndarray:
    """π at the newest position of B histories of one length: (B, K)."""
    items, count = given.items, branch.count
    flat, evidence = branch.evidence(given)
    differs = (items != items[0]) | (flat != flat[0])
    first = np.where(differs.any(1), differs.argmax(1), items.shape[1])  # where each leaves the first history
    first[0] = -1
    order = np.argsort(first, kind="stable")
    evidence = np.ascontiguousarray(evidence[order].transpose(1, 0, 2))  # (L, B, 2 K)
    as_first, as_second = evidence[..., :count], evidence[..., count:]
    reached = np.searchsorted(first[order], np.arange(items.shape[1]), side="right")  # how many are apart by then
    belief = np.empty((len(items), count, count), dtype=np.float32)
    belief[0] = branch.start()
    pairs, moved, apart = np.empty_like(belief), np.empty((len(items), count), dtype=np.float32), 1
    for part in blocks(np.log(flat.min(0)).cumsum()):
        for at in range(part.start, part.stop):
            belief[apart : reached[at]] = belief[0]
            apart = int(reached[at])
            now, pair = belief[:apart], pairs[:apart]
            np.add(as_first[at, :apart, :, None], as_second[at, :apart, None], pair)
            pair.reshape(apart, -1)[:, :: count + 1] = 0  # the two themes of a pair differ
            np.multiply(now, pair, pair)
            pair.reshape(-1, count).dot(branch.to_first, moved[:apart].reshape(-1))
            np.add(pair, moved[:apart, None], now)
        now *= branch.differ
        now /= now.sum((1, 2), keepdims=True)
    pairs[apart:] = pairs[0]
    by_first, by_second = np.empty((2, len(items), count), dtype=np.float32)
    by_first[order], by_second[order] = pairs.sum(2), pairs.sum(1)
    total = by_first.sum(1, keepdims=True)
    return branch.shares(by_first / total, by_second / total)
