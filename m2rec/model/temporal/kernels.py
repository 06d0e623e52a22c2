"""Which code runs the selective scan: `mamba_ssm`'s Triton kernel on a GPU that has it, elsewhere plain PyTorch."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from m2rec.model.temporal.scan import CHUNK, scan_chunked

log = logging.getLogger(__name__)

Kernel = Callable[..., Any]
TOLERANCE = 0.02  # of the largest value: a GPU multiplies in lower precision


def selective_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Mamba-2's scan: h_t = exp(dt_t·A) h_{t-1} + dt_t·B_t ⊗ x_t, y_t = h_t·C_t.

    x (B, L, H, P), dt (B, L, H) > 0, A (H,) < 0, B and C (B, L, N) → y (B, L, H, P).
    """
    kernel = _cuda_kernel(x.device) if x.is_cuda else _no_kernel()
    if kernel is None:
        return scan_chunked(x * dt[..., None], dt * A, B.to(dt.dtype), C.to(dt.dtype))
    return _run(kernel, x, dt, A, B, C)


def _run(kernel: Kernel, x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    return kernel(x.contiguous(), dt, A.float(), B[:, :, None], C[:, :, None], chunk_size=CHUNK)


@cache
def _cuda_kernel(device: torch.device) -> Kernel | None:
    try:
        from mamba_ssm.ops.triton.ssd_combined import mamba_chunk_scan_combined

        _check(mamba_chunk_scan_combined, device)
    except Exception as error:  # a broken build raises more than ImportError, and none of it should stop a run
        log.info("Selective scan: plain PyTorch on the GPU (mamba_ssm is not usable: %s).", error)
        return None
    log.info("Selective scan: mamba_ssm's Triton kernel.")
    return mamba_chunk_scan_combined


@torch.no_grad()
def _check(kernel: Kernel, device: torch.device) -> None:
    """Raises RuntimeError when a kernel does not compute this scan, as may be with another version of its package."""
    generator = torch.Generator().manual_seed(0)  # its own, so that a run draws the same numbers with any kernel
    batch, length, heads, width = 2, 2 * CHUNK + 1, 2, 16
    x, B, C = (torch.randn(shape, generator=generator).to(device) for shape in [(batch, length, heads, width)] * 3)
    B, C = B[:, :, 0], C[:, :, 0]
    dt = (torch.rand(batch, length, heads, generator=generator) + 0.05).to(device)
    A = torch.tensor([-1.0, -0.1], device=device)
    with torch.autocast(device.type, enabled=False):
        plain = scan_chunked(x * dt[..., None], dt * A, B, C)
        found = _run(kernel, x, dt, A, B, C)
    error = float((found - plain).abs().max() / plain.abs().max())
    if not error < TOLERANCE:
        raise RuntimeError(f"its scan differs from plain PyTorch's by {error:.0%}")


@cache
def _no_kernel() -> None:
    log.info("Selective scan: plain PyTorch on the CPU.")
