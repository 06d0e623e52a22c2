"""Item vectors, used both as input and for scoring (tied), and a bias for each item.

    v_i = e_i + P z_i        e_i ID vector (learned), z_i frozen text vector; without text v_i = e_i
    β_i                      learned bias: the item's popularity

Items 1…warm_items occur in training. Cold items have no e_i: with text their vector is P z_i and their bias the mean
bias; without text their vector is zero and they are not scored.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from m2rec.model.items import INITIAL_SCALE


@dataclass(frozen=True)
class Table:
    """Vectors of all items (V+1, d), with row 0 for padding, and biases (S,) of the scored items 1…S."""

    vectors: Tensor
    bias: Tensor


class ItemVectors(nn.Module):
    """The embedding table of a baseline."""

    text: Tensor

    def __init__(
        self,
        items: int,
        warm_items: int,
        width: int,
        text_vectors: Tensor | None = None,
        id_dropout: float = 0.0,
    ) -> None:
        """`text_vectors` (V+1, text width), row 0 zeros. Training treats a share `id_dropout` of the items as cold."""
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
        """Whether text is used, so that items without an ID vector can be ranked."""
        return hasattr(self, "project")

    def table(self) -> Table:
        """The vectors and biases of all items, to be computed once for a batch."""
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
