"""What in a history mattered for one item.

An item's influence is what the log-probability loses where an unknown item of average meaning stands in its place:
without anything there, all items before it would move, and every rhythm through them with it. An item that was chosen
again is replaced at each of its places, for one of many is hardly missed, and has the same number at all of them.
"""

import numpy as np

from m2rec.inference.engine import InferenceEngine
from m2rec.recommend.history import History


def influence(network: InferenceEngine, history: History, target: int, unknown: int) -> list[float]:
    """How much each item of the history adds to log p(target) → one number a position, 0 for an only item.

    `unknown`: the index of the item that takes the others' places, which `network` reads.
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
