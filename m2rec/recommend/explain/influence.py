"""How much each item of a history contributes to the probability of one item.

An item's influence is the loss of log-probability when it is replaced by an unknown item of average meaning: removing
it would shift all items before it, and every rhythm with them. An item that was chosen several times is replaced at all
of its places at once, and has the same number at each.
"""

import numpy as np

from m2rec.inference.engine import InferenceEngine
from m2rec.recommend.history import History


def influence(network: InferenceEngine, history: History, target: int, unknown: int) -> list[float]:
    """How much each item of the history adds to log p(target) → one number a position, 0 for an only item.

    `unknown`: the index of the item that replaces others, which `network` reads.
    """
    items = np.array(history.indices)
    if len(items) < 2:
        return [0.0] * len(items)

    def log_probability(without: int | None) -> float:
        position = network.last(np.where(items == without, unknown, items).tolist())
        return float(network.log_probabilities(position, history.seen(without))[target - 1])

    whole = log_probability(None)
    lost = {index: whole - log_probability(index) for index in dict.fromkeys(history.indices)}
    return [lost[index] for index in history.indices]
