"""The selective state space of Mamba (Gu and Dao 2023), as `mamba_ssm.Mamba` has it, in plain PyTorch.

Glossary (names of the paper)
    D   inner width = expand · d          N   state width          R   rank of Δ
    Δ   step size, one per position and channel, softplus(W_Δ x + b_Δ)
    A   −exp(A_log), one per channel and state; B, C read from the input, shared by the channels

    h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t x_t        h: (D, N)
    y_t = h_t · C_t + D x_t

Every channel and state has its own decay, unlike in Mamba-2 with one for a whole head. That is why the sum over
all positions costs L · D · N exponentials here, however it is arranged.

b_Δ is laid so that Δ starts between 0.001 and 0.1. A blanket re-initialisation of linear layers afterwards, as in the
public Mamba4Rec, would set it to zero, every Δ to 0.69, and with it a memory of one or two items.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.baselines.linear_scan import exp, linear_scan

log = logging.getLogger(__name__)

STEP_RANGE = (0.001, 0.1)  # of Δ at the start
ELEMENTS_AT_ONCE = {"cpu": 1 << 17, "cuda": 1 << 28}  # of the (positions × D × N) that are held at a time

Kernel = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class MambaState:
    """What a layer carries from item to item; its size does not depend on the history's length."""

    conv: Tensor  # (B, conv − 1, D), the inputs the convolution still sees
    hidden: Tensor  # (B, D, N)


class Mamba(nn.Module):
    """in-projection → causal convolution → selective scan → gate → out-projection."""

    def __init__(self, width: int, state: int, conv: int, expand: int) -> None:
        super().__init__()
        inner = expand * width
        self.rank = math.ceil(width / 16)
        self.state = state
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv = nn.Conv1d(inner, inner, conv, groups=inner)
        self.x_proj = nn.Linear(inner, self.rank + 2 * state, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        self.out_proj = nn.Linear(inner, width, bias=False)
        # kept flat: the optimiser decays matrices, and time constants must not be pulled anywhere
        self.A_log = nn.Parameter(torch.arange(1, state + 1).float().log().repeat(inner))  # (D · N,)
        self.D = nn.Parameter(torch.ones(inner))
        nn.init.uniform_(self.dt_proj.weight, -(self.rank**-0.5), self.rank**-0.5)
        low, high = map(math.log, STEP_RANGE)
        step = (torch.rand(inner) * (high - low) + low).exp()
        with torch.no_grad():
            self.dt_proj.bias.copy_(torch.log(torch.expm1(step)))  # inverse softplus

    def decay_rates(self) -> Tensor:
        """A: (D, N), < 0."""
        return -self.A_log.exp().view(-1, self.state)

    def forward(self, u: Tensor) -> Tensor:
        """All positions. u (B, L, d) → (B, L, d)."""
        x, z = self.in_proj(u).chunk(2, dim=-1)
        x = self._convolve(F.pad(x, (0, 0, self.conv.kernel_size[0] - 1, 0)))
        dt, B, C = self._select(x)
        return self._finish(selective_scan(x.float(), dt, self.decay_rates(), B, C), x, z)

    def last(self, u: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only: a decayed weighted sum. u (B, L, d), lengths (B,) → (B, d)."""
        rows, end = torch.arange(len(u), device=u.device), lengths - 1
        x, z = self.in_proj(u).chunk(2, dim=-1)
        x = self._convolve(F.pad(x, (0, 0, self.conv.kernel_size[0] - 1, 0)))
        dt, B, C = self._select(x)
        real = torch.arange(u.shape[1], device=u.device) < lengths[:, None]
        dt = dt * real[..., None]  # a step of zero: padding neither enters nor decays
        y = selective_scan_last(x.float(), dt, self.decay_rates(), B, C[rows, end])
        return self._finish(y, x[rows, end], z[rows, end])

    def step(self, u: Tensor, state: MambaState) -> tuple[Tensor, MambaState]:
        """One more item. u (B, d) → (B, d) and the new state."""
        x, z = self.in_proj(u).chunk(2, dim=-1)
        window = torch.cat([state.conv, x[:, None]], dim=1)
        x = self._convolve(window)[:, 0]
        dt, B, C = self._select(x)
        hidden = state.hidden * exp(dt[..., None] * self.decay_rates()) + (dt * x.float())[..., None] * B[:, None]
        return self._finish((hidden @ C[..., None])[..., 0], x, z), MambaState(window[:, 1:], hidden)

    def start(self, batch: int) -> MambaState:
        """The state before the first item."""
        inner = len(self.D)
        zeros = self.D.new_zeros
        return MambaState(zeros(batch, self.conv.kernel_size[0] - 1, inner), zeros(batch, inner, self.state))

    def _convolve(self, padded: Tensor) -> Tensor:
        """(B, L + conv − 1, D) → (B, L, D). A sum of shifted copies: on a CPU several times faster than `Conv1d`."""
        taps, length = self.conv.kernel_size[0], padded.shape[1] - self.conv.kernel_size[0] + 1
        assert self.conv.bias is not None
        out = self.conv.bias
        for k in range(taps):
            out = torch.addcmul(out, padded[:, k : k + length], self.conv.weight[:, 0, k])
        return F.silu(out)

    def _select(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the input chooses: x (…, D) → Δ (…, D), B and C (…, N), in full precision."""
        low, B, C = self.x_proj(x).split([self.rank, self.state, self.state], dim=-1)
        return F.softplus(self.dt_proj(low).float()), B.float(), C.float()

    def _finish(self, y: Tensor, x: Tensor, z: Tensor) -> Tensor:
        return self.out_proj((y + self.D * x) * F.silu(z))


def selective_scan(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """y_t = C_t · h_t at all positions. x, dt (B, L, D), A (D, N), B and C (B, L, N) → (B, L, D)."""
    kernel = _cuda_kernel() if x.is_cuda else None
    if kernel is not None:
        return scan_through(kernel, x, dt, A, B, C)
    rows = max(1, ELEMENTS_AT_ONCE.get(x.device.type, 1 << 17) // (x.shape[1] * A.numel()))
    parts = []
    for x_, dt_, B_, C_ in zip(*(part.split(rows) for part in (x, dt, B, C)), strict=True):
        hidden = linear_scan((x_ * dt_)[..., None] * B_[:, :, None], dt_[..., None] * A)  # (B, L, D, N)
        parts.append(torch.einsum("bldn,bln->bld", hidden, C_))
    return torch.cat(parts)


def selective_scan_last(x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """y at the last position only, without a scan. x, dt (B, L, D), A (D, N), B (B, L, N), C (B, N) → (B, D)."""
    later = dt.flip(1).cumsum(1).flip(1) - dt  # Σ_{r>s} Δ_r
    read = B * C[:, None]
    at_once = max(1, ELEMENTS_AT_ONCE.get(x.device.type, 1 << 17) // (len(x) * A.numel()))
    y = torch.zeros_like(x[:, 0])
    for x_, later_, read_ in zip(*(part.split(at_once, dim=1) for part in (x * dt, later, read)), strict=True):
        weights = torch.einsum("bldn,bln->bld", exp(later_[..., None] * A), read_)
        y = y + (weights * x_).sum(1)
    return y


def scan_through(kernel: Kernel, x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    """The same by a function with the arguments of `mamba_ssm`'s selective_scan_fn, whose L comes last."""
    x, dt, B, C = (part.float().transpose(1, 2).contiguous() for part in (x, dt, B, C))
    return kernel(x, dt, A.contiguous(), B, C).transpose(1, 2)


@cache
def _cuda_kernel() -> Kernel | None:
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    except Exception as error:  # a broken build raises far more than ImportError, and none of it should stop a run
        log.info("Mamba's scan: plain PyTorch on the GPU (mamba_ssm is not usable: %s).", error)
        return None
    log.info("Mamba's scan: mamba_ssm's kernel.")
    return selective_scan_fn
