"""What all sequential baselines share: item vectors in, an encoder in the middle, one full softmax at the end.

An encoder is the model proper (SASRec, GRU4Rec, …). It turns item vectors x (B, L, d) into what is known after each
position h (B, L, d); everything around it is the same for all, so that a comparison compares encoders.

    log p(i) = ⟨h, v_i⟩ + β_i − log Σ_j exp(⟨h, v_j⟩ + β_j)
"""

from typing import Any, Protocol, cast, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.baselines.vectors import ItemVectors, Table
from m2rec.model.head import logsumexp_scores


class Encoder(Protocol):
    """Histories are padded on the right, and what stands at t depends on x_1 … x_t alone."""

    def __call__(self, x: Tensor) -> Tensor:
        """All positions. x (B, L, d) → h (B, L, d); at padding h is anything."""

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only. x (B, L, d), lengths (B,) ≥ 1 → (B, d), the same as `forward` has there."""


@runtime_checkable
class Recurrent(Encoder, Protocol):
    """An encoder that can take one more item without reading the history again."""

    def start(self, batch: int) -> Any:
        """The state before the first item."""

    def step(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One more item. x (B, d) → h (B, d) and the new state; the old state stays as it was."""


class SequentialBaseline(nn.Module):
    """A trainable ranker around one encoder; the interface is that of M2Rec."""

    def __init__(self, encoder: Encoder, items: ItemVectors) -> None:
        super().__init__()
        self.items = items
        self.encoder: Encoder = encoder

    # ── training ────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """Mean −log p(target) over the marked positions, all warm items competing.

        items, targets (B, L), target 0 = none. `branch_loss` is M2Rec's and is not heeded: there is one branch.
        """
        table = self.items.table()
        marked = targets > 0
        h = self.encoder(F.embedding(items, table.vectors))[marked].float()  # (N, d)
        warm = self.items.warm_items
        scoring = torch.cat([table.vectors[1 : warm + 1], table.bias[:warm, None]], dim=-1)  # (warm, d+1)
        features = torch.cat([h, h.new_ones(len(h), 1)], dim=-1)
        score = (features * F.embedding(targets[marked] - 1, scoring)).sum(-1)
        return (logsumexp_scores(features, scoring) - score).mean()

    def loss(self, items: Tensor, targets: Tensor) -> Tensor:
        """The same under the name that says what it is."""
        return self(items, targets)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """log p(next item) after each marked position. items (B, L), where bool (B, L) → (N, V), row-major.

        Items the model knows nothing of get −∞. `seen` (N, V) changes nothing: the model has no repeat bias.
        """
        lengths = (items > 0).sum(-1)
        if where.sum() == len(items) and bool(where.gather(1, lengths[:, None] - 1).all()):
            return self.last_scores(items)
        table = self.items.table()
        return self.score(self.encoder(F.embedding(items, table.vectors))[where], table)

    def last_scores(self, items: Tensor, table: Table | None = None) -> Tensor:
        """log p(next item) after each history, the quick way: only its last position. items (B, L) → (B, V).

        `table` saves making it anew for every answer: `self.items.table()`.
        """
        table = table or self.items.table()
        lengths = (items > 0).sum(-1)
        return self.score(self.encoder.last(F.embedding(items, table.vectors), lengths), table)

    def score(self, h: Tensor, table: Table) -> Tensor:
        """h (N, d) → log-probabilities of items 1…V, (N, V)."""
        known = len(table.bias)
        scores = F.linear(h.float(), table.vectors[1 : known + 1].float(), table.bias.float())
        return F.pad(F.log_softmax(scores, dim=-1), (0, self.items.items - known), value=float("-inf"))

    @property
    def steps(self) -> bool:
        """Whether `start` and `step` are offered."""
        return isinstance(self.encoder, Recurrent)

    def start(self, batch: int = 1) -> Any:
        """The state before the first item."""
        return cast(Recurrent, self.encoder).start(batch)

    def step(self, item: Tensor, state: Any, table: Table | None = None) -> tuple[Tensor, Any]:
        """One more item. item (B,) → log p(next item) (B, V) and the new state."""
        table = table or self.items.table()
        h, state = cast(Recurrent, self.encoder).step(F.embedding(item, table.vectors), state)
        return self.score(h, table), state
