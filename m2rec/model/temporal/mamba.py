"""Temporal branch: several selective state spaces in parallel, with time constants far apart.

Glossary (names of the Mamba papers)
    D   inner width = scales × heads per scale × head width      N   state width
    dt  step size Δ, per head and position                        A   −1 per head; decay of one step is exp(dt·A)
    conv  short depth-wise causal convolution over (x, B, C)

    x ← exp(ς) · x,  x ← x + layer(norm(x)) for each layer,  x + feed(norm(x))          ς starts at ½ log d

At the start of training every layer adds zero, so the branch's vector is the newest item's own, as long as a normed
vector. Were it as short as item vectors are at first (`m2rec.model.items.INITIAL_SCALE`), what untrained layers add
would be many times longer: items that are rarely chosen are then learned by heart. The scale is SASRec's √d.

The time constant of a head is 1 / (dt·|A|) interactions. All heads share B and C and differ in how long they remember.
The Δ bias sets the constants at the start, and `time_constants` shows that no later initialisation has overwritten them
(re-initialising all linear layers would, as in the public Mamba4Rec).
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.branch import BranchInput, BranchOutput, NewestItemBranch
from m2rec.model.config import ModelConfig
from m2rec.model.softmax import newest_items
from m2rec.model.temporal.kernels import selective_scan
from m2rec.model.temporal.scan import scan_last, scan_step


@dataclass
class MambaState:
    """State of one layer between items."""

    conv: Tensor  # (B, conv_width − 1, D + 2N), the inputs that the convolution still reads
    scan: Tensor  # (B, H, P, N)


class MultiScaleMamba(nn.Module):
    """One layer: in-projection → causal convolution → scan at every time scale → gated norm → out-projection."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = len(config.time_scales) * config.heads_per_scale  # H
        self.head_width = config.head_width  # P
        self.state_width = config.state_width  # N
        self.inner = self.heads * self.head_width  # D
        mixed = self.inner + 2 * self.state_width
        self.in_proj = nn.Linear(config.width, self.inner + mixed + self.heads, bias=False)
        self.conv = nn.Conv1d(mixed, mixed, config.conv_width, groups=mixed)
        self.A_log = nn.Parameter(torch.zeros(self.heads))
        self.D = nn.Parameter(torch.ones(self.heads))
        self.norm = nn.RMSNorm(self.inner)
        self.out_proj = nn.Linear(self.inner, config.width, bias=False)

        scales = torch.tensor(config.time_scales).repeat_interleave(config.heads_per_scale)
        step = 1.0 / scales  # A = −1, so a step of 1/τ forgets with time constant τ
        self.dt_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))  # inverse softplus, finite for any step
        with torch.no_grad():  # starts at these time constants: content changes Δ only as it is learned
            self.in_proj.weight[-self.heads :].mul_(0.1)

    def time_constants(self) -> Tensor:
        """Interactions until a head has decayed to 1/e, at its initial step size. → (H,)."""
        return 1.0 / (F.softplus(self.dt_bias) * self.A_log.exp())

    def forward(self, u: Tensor) -> Tensor:
        """All positions. u (B, L, d) → (B, L, d)."""
        z, mixed, dt = self._project(u)
        mixed = F.pad(mixed, (0, 0, self.conv.kernel_size[0] - 1, 0))
        x, B, C = self._convolve(mixed)
        y = selective_scan(x, dt, -self.A_log.exp(), B, C)
        return self._finish(y + self.D[:, None] * x, z)

    def last(self, u: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only. u (B, L, d), lengths (B,) → (B, d)."""
        rows = torch.arange(len(u), device=u.device)
        end = lengths - 1
        z, mixed, dt = self._project(u)
        mixed = F.pad(mixed, (0, 0, self.conv.kernel_size[0] - 1, 0))
        x, B, C = self._convolve(mixed)
        real = torch.arange(u.shape[1], device=u.device) < lengths[:, None]
        dt = dt * real[..., None]  # a step of zero: padding adds nothing and nothing decays
        y = scan_last(x * dt[..., None], -dt * self.A_log.exp(), B, C[rows, end])
        return self._finish(y + self.D[:, None] * x[rows, end], z[rows, end])

    def step(self, u: Tensor, state: MambaState) -> tuple[Tensor, MambaState]:
        """One more item. u (B, d) → (B, d) and the new state."""
        z, mixed, dt = self._project(u[:, None])
        window = torch.cat([state.conv, mixed], dim=1)
        x, B, C = (part[:, 0] for part in self._convolve(window))
        dt = dt[:, 0]
        y, scan = scan_step(state.scan, x * dt[..., None], -dt * self.A_log.exp(), B, C)
        return self._finish(y + self.D[:, None] * x, z[:, 0]), MambaState(window[:, 1:], scan)

    def start(self, batch: int) -> MambaState:
        """The state before the first item."""
        zeros = self.A_log.new_zeros
        mixed = self.inner + 2 * self.state_width
        return MambaState(
            zeros(batch, self.conv.kernel_size[0] - 1, mixed),
            zeros(batch, self.heads, self.head_width, self.state_width),
        )

    def _project(self, u: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mixed = self.inner + 2 * self.state_width
        z, mixed_in, dt = self.in_proj(u).split([self.inner, mixed, self.heads], dim=-1)
        return z, mixed_in, F.softplus(dt.float() + self.dt_bias)

    def _convolve(self, mixed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Convolution over already padded inputs. (B, L + conv − 1, D + 2N) → x (B, L, H, P), B, C (B, L, N)."""
        out = F.silu(_depthwise(mixed, self.conv))
        x, B, C = out.split([self.inner, self.state_width, self.state_width], dim=-1)
        return x.unflatten(-1, (self.heads, self.head_width)), B, C

    def _finish(self, y: Tensor, z: Tensor) -> Tensor:
        y = y.flatten(-2).to(z.dtype)
        return self.out_proj(self.norm((y * F.silu(z)).float()))


def _depthwise(padded: Tensor, conv: nn.Conv1d) -> Tensor:
    """A depth-wise causal convolution as a sum of shifted copies: on a CPU several times faster than `Conv1d`."""
    taps = conv.kernel_size[0]
    length = padded.shape[1] - taps + 1
    assert conv.bias is not None
    return conv.bias + sum(padded[:, k : k + length] * conv.weight[:, 0, k] for k in range(taps))


class MambaStack(nn.Module):
    """Item vectors in, temporal evidence out: `temporal_layers` of multi-scale Mamba, then one feed-forward layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.RMSNorm(config.width) for _ in range(config.temporal_layers))
        self.layers = nn.ModuleList(MultiScaleMamba(config) for _ in range(config.temporal_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.feed = nn.Sequential(
            nn.RMSNorm(config.width),
            nn.Linear(config.width, config.expansion * config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.expansion * config.width, config.width),
            nn.Dropout(config.dropout),
        )
        self.log_input_scale = nn.Parameter(torch.tensor(0.5 * math.log(config.width)))
        for _, layer in self._stack():
            nn.init.zeros_(layer.out_proj.weight)
        for parameter in self.feed[4].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) → (B, L, d)."""
        x = x * self.log_input_scale.exp()
        for norm, layer in self._stack():
            x = x + self.dropout(layer(norm(x.float())))
        return x + self.feed(x.float())

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, L, d), lengths (B,) → (B, d). Only the layers below the top one run over all positions."""
        *below, (top_norm, top) = self._stack()
        x = x * self.log_input_scale.exp()
        for norm, layer in below:
            x = x + self.dropout(layer(norm(x.float())))
        here = x[torch.arange(len(x), device=x.device), lengths - 1]
        here = here + self.dropout(top.last(top_norm(x.float()), lengths))
        return here + self.feed(here.float())

    def step(self, x: Tensor, states: list[MambaState]) -> tuple[Tensor, list[MambaState]]:
        """x (B, d) → (B, d) and the new states."""
        x, after = x * self.log_input_scale.exp(), []
        for (norm, layer), state in zip(self._stack(), states, strict=True):
            out, state = layer.step(norm(x.float()), state)
            x = x + self.dropout(out)
            after.append(state)
        return x + self.feed(x.float()), after

    def start(self, batch: int) -> list[MambaState]:
        """The states before the first item."""
        return [layer.start(batch) for _, layer in self._stack()]

    def _stack(self) -> list[tuple[nn.RMSNorm, MultiScaleMamba]]:
        return cast(list[tuple[nn.RMSNorm, MultiScaleMamba]], list(zip(self.norms, self.layers, strict=True)))


class TemporalBranch(NewestItemBranch, MambaStack):
    """The stack, and the softmax over items of its vector (`m2rec.model.branch.Branch`)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.softmax, self.warm = self.head(config), config.warm_items

    def read(self, given: BranchInput) -> BranchOutput:
        """All positions."""
        return self._after(given.items, self(self._inputs(given)))

    def read_last(self, given: BranchInput, lengths: Tensor) -> BranchOutput:
        """The last real position only."""
        return self._after(newest_items(given.items, lengths), self.last(self._inputs(given), lengths))

    def read_step(self, given: BranchInput, state: list[MambaState]) -> tuple[BranchOutput, list[MambaState]]:
        """One more item."""
        vector, state = self.step(self._inputs(given), state)
        return self._after(given.items, vector), state

    def _inputs(self, given: BranchInput) -> Tensor:
        # embedding rather than indexing: its backward is many times faster
        inputs: Tensor = self.dropout(F.embedding(given.items, given.table.inputs))
        return inputs
