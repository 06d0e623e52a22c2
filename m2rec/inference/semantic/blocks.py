"""The stretches of a history over which a belief may shrink without being normalised."""

import numpy as np

SMALLEST = -60.0  # log of what the sum of a belief may fall to before it is normalised
BLOCK = 64  # choices whose evidence is worked out at once: it stays in a processor's cache until it is read


def blocks(left: np.ndarray) -> list[slice]:
    """All places in order, in slices of BLOCK at most, over which `left` (n,) falls by little more than SMALLEST."""
    slices, begin, count = [], 0, len(left)
    while begin < count:
        fallen = int(np.searchsorted(-left, -left[begin] - SMALLEST)) if left[-1] < left[begin] + SMALLEST else count
        end = min(begin + BLOCK, fallen, count)
        slices.append(slice(begin, end))
        begin = end
    return slices
