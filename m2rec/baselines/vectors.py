"""Item vectors: what a model reads and what it scores against are the same (tied), plus a bias per item.

    v_i = e_i + P z_i        e_i ID vector (learned), z_i frozen text vector; without text v_i = e_i
    β_i                      bias, learned: how popular the item is

Items 1…warm_items were seen in training. A cold item has no e_i: with text it is read and scored by P z_i and the mean
bias, without text it reads as zeros and is not scored at all.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

INITIAL_SCALE = 0.02  # of the published implementations; the normalisation that follows undoes it


@dataclass(frozen=True)
class Table:
    """All items at one moment, row 0 for padding: vectors (V+1, d), and bias (S,) of items 1…S, the scored ones."""

    vectors: Tensor
    bias: Tensor


class ItemVectors(nn.Module):
    """The one embedding table of a baseline."""

    text: Tensor

    def __init__(
        self,
        items: int,
        warm_items: int,
        width: int,
        text_vectors: Tensor | None = None,
        id_dropout: float = 0.0,
    ) -> None:
        """`text_vectors` (V+1, text width), row 0 zeros. A share `id_dropout` of the items is cold in a batch."""
        super().__init__()
        self.items = items  # V
        self.warm_items = warm_items
        self.id_dropout = id_dropout
        self.ids = nn.Parameter(torch.randn(warm_items, width) * INITIAL_SCALE)
        self.bias = nn.Parameter(torch.zeros(warm_items))
        if text_vectors is not None:
            if len(text_vectors) != items + 1:
                raise ValueError(f"text_vectors must have {items + 1} rows, not {len(text_vectors)}")
            self.register_buffer("text", text_vectors.float().clone())
            self.project = nn.Linear(text_vectors.shape[1], width, bias=False)
            nn.init.normal_(self.project.weight, std=INITIAL_SCALE)

    @property
    def reads_text(self) -> bool:
        """Whether an item without an ID vector can be ranked."""
        return hasattr(self, "project")

    def table(self) -> Table:
        """Every vector, computed once for a batch."""
        ids: Tensor = self.ids
        bias: Tensor = self.bias
        if self.training and self.id_dropout:
            keep = torch.rand(len(ids), 1, device=ids.device) >= self.id_dropout
            ids = ids * keep
            bias = torch.where(keep[:, 0], bias, bias.mean())
        padding = ids.new_zeros(1, ids.shape[1])
        cold = self.items - self.warm_items
        vectors = torch.cat([padding, ids, padding.expand(cold, -1)]) if cold else torch.cat([padding, ids])
        if not self.reads_text:
            return Table(vectors, bias)
        average = self.bias.mean().expand(cold)
        return Table(vectors + self.project(self.text), torch.cat([bias, average]))
