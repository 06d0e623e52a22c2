"""Impulse responses from learned transfer functions, as `m2rec.model.frequency.filters` has them."""

import numpy as np

from m2rec.model.constants import CUTOFF


def impulse_response(transfer: np.ndarray) -> np.ndarray:
    """k of transfer functions H (b, W + 1, 2) → float32 (b, W), lag 0 first."""
    taps = transfer.shape[1] - 1
    response = np.fft.irfft(transfer[..., 0] + 1j * transfer[..., 1], n=2 * taps)
    return response[:, :taps].astype(np.float32)


def balanced(response: np.ndarray, periods: tuple[int, ...]) -> np.ndarray:
    """Each round of its period sums to zero, and the round under way has no taps: (b, W) → (b, W)."""
    before = np.arange(1, response.shape[1] + 1)
    result = np.zeros_like(response)
    for row, taps, period in zip(result, response, periods, strict=True):
        rounds = (before + (period - 1) // 2) // period
        means = np.bincount(rounds, taps) / np.maximum(np.bincount(rounds), 1)
        row[:] = np.where(rounds > 0, taps - means[rounds], 0)
    return result


def low_pass(taps: int) -> np.ndarray:
    """The plain low-pass of the ablation: (W,), unit energy."""
    kept = np.zeros(taps // 2 + 1)
    kept[: max(1, int(CUTOFF * taps))] = 1
    kernel = np.fft.irfft(kept, n=taps)
    return (kernel / np.sqrt((kernel * kernel).sum())).astype(np.float32)
