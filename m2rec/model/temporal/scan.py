"""One linear recurrence, run four ways.

    h_t = exp(a_t) · h_{t-1} + B_t ⊗ x_t        h_t: (H, P, N)
    y_t = h_t · C_t                             y_t: (H, P)

This is the state-space-dual form of Mamba-2 (Dao and Gu 2024): one decay per head and step. The temporal
branch runs it with learned B and C; the moving averages of the other branches are the case N = 1, B = C = 1.

Shapes everywhere: x (B, L, H, P) · log_decay a (B, L, H), ≤ 0 · B and C (B, L, N) · y (B, L, H, P).

`scan_sequential` is the plain twin that the other three are tested against; it is also tested against `mamba_ssm`'s
reference functions (tests/model/temporal/test_scan.py).
"""

import torch
from torch import Tensor

CHUNK = 64


def scan_step(state: Tensor, x: Tensor, log_decay: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """One step. state (B, H, P, N), x (B, H, P), log_decay (B, H), B and C (B, N) → y (B, H, P), new state."""
    state = state * log_decay.exp()[..., None, None] + x[..., None] * B[:, None, None, :]
    return torch.einsum("bhpn,bn->bhp", state, C), state


def scan_sequential(x: Tensor, log_decay: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """The recurrence as it is written, one step after another. → y (B, L, H, P)."""
    batch, length, heads, width = x.shape
    state = x.new_zeros(batch, heads, width, B.shape[-1])
    rows = []
    for t in range(length):
        y, state = scan_step(state, x[:, t], log_decay[:, t], B[:, t], C[:, t])
        rows.append(y)
    return torch.stack(rows, dim=1)


def scan_chunked(x: Tensor, log_decay: Tensor, B: Tensor, C: Tensor, chunk: int = CHUNK) -> Tensor:
    """All positions at once, in time linear in L: quadratic inside a chunk, one carried state between chunks.

    → y (B, L, H, P).
    """
    batch, length, heads, width = x.shape
    chunk = min(chunk, length)
    tail = -length % chunk
    if tail:  # zero input with no decay leaves every real position as it is
        x, log_decay, B, C = (_pad_time(part, tail) for part in (x, log_decay, B, C))
    n = x.shape[1] // chunk
    x = x.reshape(batch, n, chunk, heads, width)
    B = B.reshape(batch, n, chunk, -1)
    C = C.reshape(batch, n, chunk, -1)
    total = log_decay.reshape(batch, n, chunk, heads).cumsum(2).permute(0, 1, 3, 2)  # (B, n, H, T)

    # inside a chunk: y_t += Σ_{s≤t} exp(total_t − total_s) (C_t·B_s) x_s
    steps = total[..., :, None] - total[..., None, :]  # (B, n, H, T, T)
    causal = torch.ones(chunk, chunk, dtype=torch.bool, device=x.device).tril()
    weights = steps.masked_fill(~causal, float("-inf")).exp() * (C @ B.transpose(-1, -2))[:, :, None]
    x_heads = x.transpose(2, 3)  # (B, n, H, T, P)
    y = weights @ x_heads

    if n > 1:
        # the state that each chunk adds: Σ_s exp(total_end − total_s) B_s ⊗ x_s
        to_end = (total[..., -1:] - total).exp()
        handed = (x_heads * to_end[..., None]).transpose(-1, -2) @ B[:, :, None]  # (B, n, H, P, N)
        whole = total[..., -1].exp()  # (B, n, H)
        state = torch.zeros_like(handed[:, 0])
        before = []
        for i in range(n):
            before.append(state)
            state = state * whole[:, i, :, None, None] + handed[:, i]
        carried = torch.stack(before, dim=1)  # (B, n, H, P, N)
        y = y + (C[:, :, None] @ carried.transpose(-1, -2)) * total.exp()[..., None]
    return y.transpose(2, 3).reshape(batch, -1, heads, width)[:, :length]


def scan_last(x: Tensor, log_decay: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """The last position only: a decayed weighted sum, no scan. C (B, N) is the last position's. → (B, H, P)."""
    later = log_decay.flip(1).cumsum(1).flip(1) - log_decay  # Σ_{r>s} a_r
    weights = later.exp() * torch.einsum("bln,bn->bl", B, C)[..., None]  # (B, L, H)
    return torch.einsum("blh,blhp->bhp", weights, x)


def _pad_time(part: Tensor, tail: int) -> Tensor:
    return torch.cat([part, part.new_zeros(part.shape[0], tail, *part.shape[2:])], dim=1)
