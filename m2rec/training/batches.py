"""Batches of windows: seeded, bucketed by length, split evenly between processes."""

import numpy as np

BUCKET = 16  # batches sorted by length together: little padding, and still well shuffled


def epoch_batches(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The batches of one epoch, each window once. lengths (n,) → arrays of window indices, at most batch_size each.

    The same seed and epoch give the same batches on every process and after every restart.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), BUCKET * batch_size):
        bucket = order[start : start + BUCKET * batch_size]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def split_of_process(batch: np.ndarray, rank: int, processes: int) -> np.ndarray:
    """One process's part of a batch. Sizes differ by at most one; some are 0 with more processes than windows."""
    return batch[rank::processes]
