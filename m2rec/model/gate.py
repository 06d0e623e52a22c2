"""Adaptive gate: how likely each kind of evidence is to explain the next choice, from the branches' outputs."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.branches import BRANCHES, BranchName
from m2rec.model.config import ModelConfig


class Gate(nn.Module):
    """g_t = softmax over the branches that are switched on, per position (paper section on gating)."""

    switched_off: Tensor

    def __init__(self, config: ModelConfig, evidence_width: int) -> None:
        super().__init__()
        self.equal = config.gate == "equal"
        self.norms = nn.ModuleList(nn.RMSNorm(config.width) for _ in BRANCHES)
        self.feed = nn.Sequential(
            nn.Linear(len(BRANCHES) * config.width + evidence_width, config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.width, len(BRANCHES)),
        )
        off = [0.0 if branch in config.branches else float("-inf") for branch in BRANCHES]
        self.register_buffer("switched_off", torch.tensor(off), persistent=False)

    def forward(self, branches: tuple[Tensor, ...], evidence: Tensor) -> Tensor:
        """M branch outputs (…, d) and their evidence (…, e) → log g (…, M); −inf where a branch is off."""
        if self.equal:
            logits = branches[0].new_zeros(*evidence.shape[:-1], len(BRANCHES))
        else:
            normed = [norm(branch.float()) for norm, branch in zip(self.norms, branches, strict=True)]
            logits = self.feed(torch.cat([*normed, evidence], dim=-1))
        return F.log_softmax(logits.float() + self.switched_off, dim=-1)

    @contextmanager
    def without(self, branch: BranchName) -> Iterator[None]:
        """Switch one more branch off for a while: the others share its weight, in proportion to their own."""
        before = self.switched_off
        self.switched_off = before.clone()
        self.switched_off[BRANCHES.index(branch)] = -torch.inf
        try:
            yield
        finally:
            self.switched_off = before
