"""Which code runs the selective scan: `mamba_ssm`'s Triton kernel on a GPU that has it, elsewhere plain PyTorch."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from torch import Tensor

from m2rec.model.temporal.scan import CHUNK, scan_chunked

log = logging.getLogger(__name__)


def selective_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """Mamba-2's scan: h_t = exp(dt_t·A) h_{t-1} + dt_t·B_t ⊗ x_t, y_t = h_t·C_t.

    x (B, L, H, P), dt (B, L, H) > 0, A (H,) < 0, B and C (B, L, N) → y (B, L, H, P).
    """
    kernel = _cuda_kernel() if x.is_cuda else _no_kernel()
    if kernel is None:
        return scan_chunked(x * dt[..., None], dt * A, B.to(dt.dtype), C.to(dt.dtype))
    return kernel(x.contiguous(), dt, A.float(), B[:, :, None], C[:, :, None], chunk_size=CHUNK)


@cache
def _cuda_kernel() -> Callable[..., Any] | None:
    try:
        from mamba_ssm.ops.triton.ssd_combined import mamba_chunk_scan_combined
    except Exception as error:  # a broken build raises more than ImportError, and none of it should stop a run
        log.info("Selective scan: plain PyTorch on the GPU (mamba_ssm is not usable: %s).", error)
        return None
    log.info("Selective scan: mamba_ssm's Triton kernel.")
    return mamba_chunk_scan_combined


@cache
def _no_kernel() -> None:
    log.info("Selective scan: plain PyTorch on the CPU.")
