"""How much each item of a history contributes to the probability of one item.

An item's influence is the loss of log-probability when it is replaced by an unknown item of average meaning: removing
it would shift all items before it, and every rhythm with them. An item that was chosen several times is replaced at all
of its places at once, and has the same number at each.
"""

import numpy as np

from m2rec.inference.engine import InferenceEngine
from m2rec.inference.several import AT_ONCE, log_probability, several
from m2rec.recommend.history import History


def influence(
    network: InferenceEngine,
    history: History,
    target: int,
    unknown: int,
    gate: np.ndarray | None = None,
    band_keep: np.ndarray | None = None,
) -> list[float]:
    """How much each item of the history adds to log p(target) → one number a position, 0 for an only item.

    `unknown`: the index of the item that replaces others, which `network` reads. `gate` (M,) are weights in place of
    the gate's own, and `band_keep` (b,) mutes bands.
    """
    items = np.array(history.indices, dtype=np.int64)
    if len(items) < 2:
        return [0.0] * len(items)
    different = list(dict.fromkeys(history.indices))
    whole: float | None = None
    lost: dict[int, float] = {}
    at_once = max(1, AT_ONCE // len(items))
    for begin in range(0, len(different), at_once):
        without = different[begin : begin + at_once]
        replaced = np.where(items == np.array([0, *without])[:, None], unknown, items)  # nothing in the first of them
        seen = np.stack([history.seen(), *map(history.seen, without)])
        found = log_probability(network, several(network, replaced, band_keep), seen, target, gate).tolist()
        whole = found[0] if whole is None else whole
        lost |= {index: whole - left for index, left in zip(without, found[1:], strict=True)}
    return [lost[index] for index in history.indices]
