"""The recurrence of a layer of the temporal branch, over many positions at once."""

import numpy as np

CHUNK = 32  # positions that one matrix product combines


def scan(
    x: np.ndarray, log_decay: np.ndarray, B: np.ndarray, C: np.ndarray, state: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The recurrence over n positions: within a chunk as matrix products, all chunks at once; from chunk to chunk the
    state alone is carried on (the SSD form of Mamba-2, arXiv 2405.21060).

    x (n, H, P), log_decay (n, H), B, C (n, N), state (H, P, N) → y (n, H, P), state.
    """
    n, heads, width = x.shape
    chunk = min(CHUNK, n)
    chunks = -(-n // chunk)
    x, log_decay, B, C = (  # what is added does nothing
        _padded(part, chunks * chunk).reshape(chunks, chunk, *part.shape[1:]) for part in (x, log_decay, B, C)
    )
    total = log_decay.cumsum(1)  # (chunks, n, H)
    by_head = np.ascontiguousarray(total.transpose(0, 2, 1))
    weights = by_head[..., :, None] - by_head[..., None, :]  # (chunks, H, n, n)
    weights = np.exp(np.minimum(weights, 0, out=weights), out=weights)
    weights *= np.tril(C @ B.transpose(0, 2, 1))[:, None]
    y = (weights @ x.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
    # the states of all heads at once, as matrices (H · P, N): few large products are quicker than many small ones
    leaving = x * np.exp(total[:, -1:] - total)[..., None]
    entering = leaving.reshape(chunks, chunk, heads * width).transpose(0, 2, 1) @ B
    carried = np.exp(total)
    kept = np.repeat(carried[:, -1], width, axis=1)[..., None]
    flat, before = state.reshape(heads * width, -1), np.empty_like(entering)
    for at in range(chunks):
        before[at] = flat
        flat = flat * kept[at]
        flat += entering[at]
    reached = (C @ before.transpose(0, 2, 1)).reshape(x.shape)
    reached *= carried[..., None]
    reached += y
    return reached.reshape(chunks * chunk, heads, width)[:n], flat.reshape(state.shape)


def _padded(x: np.ndarray, length: int) -> np.ndarray:
    """With rows of zeros at the end."""
    if len(x) == length:
        return x
    return np.concatenate([x, np.zeros((length - len(x), *x.shape[1:]), dtype=x.dtype)])
