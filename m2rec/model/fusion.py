"""The paper's reading of the gate: branch outputs are averaged before anything is scored, H = Σ_m g_m·b_m."""

from torch import nn

from m2rec.model.config import BRANCHES, ModelConfig
from m2rec.model.softmax import SoftmaxHead


class FeatureFusion(nn.Module):
    """What scales each branch's output before the average, with `gate = "features"`."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        normed = {"temporal": True, "frequency": False, "semantic": config.semantic == "means"}
        self.heads = nn.ModuleDict(
            {name: SoftmaxHead(config, normed[name], 0.0 if name == "frequency" else 1.0) for name in BRANCHES}
        )

    def in_order(self) -> list[SoftmaxHead | None]:
        """The scales of all branches, in the order in which the branches stand everywhere."""
        return [head for head in self.heads.values() if isinstance(head, SoftmaxHead)]
