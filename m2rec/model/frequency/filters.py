"""Causal filters over a sequence, learned in the frequency domain.

The parameter of a filter is its complex transfer function H at the bins of a 2W-point FFT; applied is its impulse
response k = irfft(H), cut to the W newest lags. Zero padding prevents wrap-around from old positions to new ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

LONGEST_FOR_MATMUL = 512  # above this many positions the FFT is the faster way to filter


def transfer_function(kernels: Tensor) -> Tensor:
    """H of impulse responses k (b, W) → (b, W + 1, 2), real and imaginary parts."""
    return torch.view_as_real(torch.fft.rfft(kernels, n=2 * kernels.shape[1]))


def impulse_response(transfer: Tensor) -> Tensor:
    """k of transfer functions H (b, W + 1, 2) → (b, W), lag 0 first."""
    taps = transfer.shape[1] - 1
    with torch.autocast(transfer.device.type, enabled=False):
        return torch.fft.irfft(torch.view_as_complex(transfer.float()), n=2 * taps)[:, :taps]


def comb(period: int, taps: int, decay: float) -> Tensor:
    """Impulses one, two, three … periods before the *next* item, so that period p is lag p − 1. → (W,)."""
    row = torch.zeros(taps)
    marks = torch.arange(period - 1, taps, period)
    row[marks] = decay ** torch.arange(len(marks), dtype=torch.float)
    return row


def low_pass(scale: float, taps: int) -> Tensor:
    """A trend that forgets within `scale` interactions: 1 at lag 1, so that no scale is too short. → (W,)."""
    row = ((1 - torch.arange(taps)) / scale).exp()
    row[0] = 0
    return row


def filter_bank(signals: Tensor, kernels: Tensor) -> Tensor:
    """Every filter over every position: causal convolution of signals (B, L, c) with kernels (b, W) → (B, L, b, c)."""
    length = signals.shape[1]
    if length > LONGEST_FOR_MATMUL:
        return filter_bank_fft(signals, kernels)
    flat = toeplitz(kernels, length).transpose(0, 1).reshape(-1, length)
    batch, _, width = signals.shape
    flat = flat @ signals.transpose(0, 1).reshape(length, -1)
    return flat.reshape(length, len(kernels), batch, width).permute(2, 0, 1, 3)


def filter_bank_fft(signals: Tensor, kernels: Tensor) -> Tensor:
    """The same through the FFT, zero-padded so that nothing wraps round: linear in L up to a logarithm."""
    length = signals.shape[1]
    size = length + kernels.shape[1]
    product = torch.fft.rfft(signals, n=size, dim=1)[:, :, None] * torch.fft.rfft(kernels, n=size).T[None, :, :, None]
    return torch.fft.irfft(product, n=size, dim=1)[:, :length]


def filter_adaptively(u: Tensor, gains: Tensor, kernels: Tensor) -> Tensor:
    """y_t = Σ_b gains_b(t) (k_b * u)(t). u (B, L, d), gains (B, L, b), kernels (b, W) → (B, L, d)."""
    length = u.shape[1]
    if length > LONGEST_FOR_MATMUL:
        bands = zip(gains.unbind(-1), kernels, strict=True)  # one band at a time: all at once would not fit
        return torch.stack([gain[..., None] * filter_bank_fft(u, k[None])[:, :, 0] for gain, k in bands]).sum(0)
    response = gains @ kernels  # (B, L, W), the filter applied at each position
    lag = torch.arange(length, device=u.device)
    lag = lag[:, None] - lag  # (t, s) → t − s
    reachable = (lag >= 0) & (lag < kernels.shape[1])
    banded = response.gather(-1, lag.clamp(0, kernels.shape[1] - 1).expand(len(u), -1, -1)) * reachable
    return banded @ u


def toeplitz(kernels: Tensor, length: int) -> Tensor:
    """(b, W) → (b, L, L) with [b, t, s] = k_b(t − s), zero above the diagonal and beyond W."""
    padded = F.pad(kernels[:, :length], (length, max(0, length - kernels.shape[1])))  # index length + lag
    lag = torch.arange(length, device=kernels.device)
    return padded[:, length + lag[:, None] - lag]
