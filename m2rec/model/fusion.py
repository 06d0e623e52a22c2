"""The paper's reading of the gate: branch outputs are averaged before anything is scored, H = Σ_m g_m·b_m.

    ℓ(i) = Σ_m g_m (⟨b_m, v_i⟩ + κ_m β_i + ρ_m·[i was in the history] + ν_m·[i is the newest item])
    p(i) = softmax_i ℓ(i)

With `gate = "features"`, an ablation; by default the gate weighs the branches' distributions instead.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from m2rec.branches import BRANCHES, NEWEST_ITEM
from m2rec.model.branch import Branch, BranchOutput
from m2rec.model.config import ModelConfig
from m2rec.model.items import ItemTable
from m2rec.model.softmax import SoftmaxHead, branch_log_probabilities, target_log_probability
from m2rec.model.targets import Targets


class FeatureFusion(nn.Module):
    """One softmax over the average of the branches' outputs."""

    def __init__(self, config: ModelConfig, branches: Mapping[str, Branch]) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: branch.head(config) for name, branch in branches.items()})
        self.by_text = {name for name, branch in branches.items() if branch.by_text}
        self.warm = config.warm_items

    def log_probs(
        self, outputs: Mapping[str, BranchOutput], log_gate: Tensor, table: ItemTable, seen: Tensor
    ) -> Tensor:
        """log p over the catalogue. Over (N,), log_gate (N, M), seen (N, V) → (N, V)."""
        features, biases = self._averaged(outputs, log_gate)
        newest = next((out.detail[NEWEST_ITEM] for out in outputs.values() if NEWEST_ITEM in out.detail), None)
        return branch_log_probabilities(features, _scored(table), biases, seen, newest)[:, 0]

    def target_log_prob(
        self, outputs: Mapping[str, BranchOutput], log_gate: Tensor, table: ItemTable, items: Tensor, targets: Targets
    ) -> Tensor:
        """log p at the targets. Over (B, L), log_gate (B, L, M), items (B, L) → (N,)."""
        features, biases = self._averaged(outputs, log_gate)
        scored = _scored(table)[: self.warm + 1]
        return target_log_probability(features, scored, biases, items, targets)[:, 0]

    def _averaged(self, outputs: Mapping[str, BranchOutput], log_gate: Tensor) -> tuple[Tensor, Tensor]:
        """The factor of [v, P z, β] in the scores, (…, 1, 2d + 1), and the repeat biases (…, 1, 2)."""
        weights = dict(zip(BRANCHES, log_gate.exp().unsqueeze(-1).unbind(-2), strict=True))
        heads = {name: cast(SoftmaxHead, self.heads[name]) for name in BRANCHES}
        parts = {name: weights[name] * heads[name](outputs[name].vector) for name in BRANCHES}
        blank = torch.zeros_like(next(iter(parts.values())))
        text = sum((part for name, part in parts.items() if name in self.by_text), blank)
        whole = sum((part for name, part in parts.items() if name not in self.by_text), blank)
        popularity = torch.stack([weights[name] * heads[name].popularity for name in BRANCHES]).sum(0)
        biases = torch.stack([weights[name] * heads[name].biases() for name in BRANCHES]).sum(0)
        return torch.cat([whole, text, popularity], dim=-1)[..., None, :], biases[..., None, :]


def _scored(table: ItemTable) -> Tensor:
    return torch.cat([table.vectors, table.text, table.bias], dim=-1)
