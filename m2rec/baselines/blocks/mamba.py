"""The selective state space of Mamba (Gu and Dao 2023), as in `mamba_ssm.Mamba`, in plain PyTorch.

Glossary (names of the paper)
    D   inner width = expand · d          N   state width          R   rank of Δ
    Δ   step size, one per position and channel, softplus(W_Δ x + b_Δ)
    A   −exp(A_log), one per channel and state; B, C read from the input, shared by the channels

    h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t x_t        h: (D, N)
    y_t = h_t · C_t + D x_t

The recurrence itself is in `selective_scan.py`.

b_Δ is initialised so that Δ is between 0.001 and 0.1. The public Mamba4Rec initialises all linear layers again
afterwards, which sets b_Δ to zero and every Δ to 0.69: a memory of one or two items.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.baselines.blocks.linear_scan import exp
from m2rec.baselines.blocks.selective_scan import selective_scan, selective_scan_last

STEP_RANGE = (0.001, 0.1)  # of the initial Δ


@dataclass(frozen=True)
class MambaState:
    """State of a layer between items; its size does not depend on the history's length."""

    conv: Tensor  # (B, conv − 1, D), the inputs that the convolution still reads
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
        # flat, because the optimiser applies weight decay to matrices, but not to time constants
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
        dt = dt * real[..., None]  # a step of zero: padding adds nothing and nothing decays
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
        """Parameters that depend on the input: x (…, D) → Δ (…, D), B and C (…, N), in full precision."""
        low, B, C = self.x_proj(x).split([self.rank, self.state, self.state], dim=-1)
        return F.softplus(self.dt_proj(low).float()), B.float(), C.float()

    def _finish(self, y: Tensor, x: Tensor, z: Tensor) -> Tensor:
        return self.out_proj((y + self.D * x) * F.silu(z))
