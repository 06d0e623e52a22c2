"""What all sequential baselines share: item vectors as input, and a full softmax after the encoder.

The encoder is the model itself (SASRec, GRU4Rec, …). It maps item vectors x (B, L, d) to an output after each position
h (B, L, d). Everything else is the same for all, so a comparison of baselines compares their encoders.

    log p(i) = ⟨h, v_i⟩ + β_i − log Σ_j exp(⟨h, v_j⟩ + β_j)

With a repeat bias, one learned number ρ is added to the score of every item of the history, and another one ν to that
of its newest item, inside the softmax, as in M2Rec. If all models have it, none leads only because it can learn that
films are not rated twice.
"""

from typing import Any, Protocol, cast, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.baselines.vectors import ItemVectors, Table
from m2rec.model.softmax import (
    is_item,
    logsumexp_scores,
    newest_items,
    repeat_biases,
    seen_items,
    target_log_probability,
)
from m2rec.model.targets import Targets


class Encoder(Protocol):
    """Histories are padded on the right, and the output at t depends on x_1 … x_t only."""

    def __call__(self, x: Tensor) -> Tensor:
        """All positions. x (B, L, d) → h (B, L, d), with arbitrary values at padding."""

    def last(self, x: Tensor, lengths: Tensor) -> Tensor:
        """The last real position only. x (B, L, d), lengths (B,) ≥ 1 → (B, d), equal to `forward` at that position."""


@runtime_checkable
class Recurrent(Encoder, Protocol):
    """An encoder that can add one item without reading the history again."""

    def start(self, batch: int) -> Any:
        """The state before the first item."""

    def step(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """One more item. x (B, d) → h (B, d) and the new state; the old state is not changed."""


class SequentialBaseline(nn.Module):
    """A trainable model around an encoder, with the interface of M2Rec."""

    def __init__(self, encoder: Encoder, items: ItemVectors, repeat_bias: float | None = None) -> None:
        """`repeat_bias` is the initial ρ; None makes a model without ρ and ν."""
        super().__init__()
        self.items = items
        self.encoder: Encoder = encoder
        self.repeat_bias = None if repeat_bias is None else nn.Parameter(torch.tensor(repeat_bias))
        self.newest_bias = None if repeat_bias is None else nn.Parameter(torch.zeros(()))

    # ── training ────────────────────────────────────────────────────────────────────────────────────────────

    def forward(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """Mean −log p(target) over the positions with a target, with a softmax over all warm items.

        items, targets (B, L), where 0 is no target. `branch_loss` is for M2Rec and is ignored: there are no branches.
        """
        table, marked = self.items.table(), Targets.of(targets)
        h = self.encoder(F.embedding(items, table.vectors)).float()  # (B, L, d)
        warm = self.items.warm_items
        scoring = torch.cat([table.vectors[1 : warm + 1], table.bias[:warm, None]], dim=-1)  # (warm, d+1)
        if self.repeat_bias is not None:
            features = torch.cat([h, h.new_ones(*items.shape, 1)], dim=-1)[:, :, None]  # (B, L, 1, d+1)
            biases = repeat_biases(self.repeat_bias, self.newest_bias).expand(*items.shape, 1, 2)
            scores = target_log_probability(features, F.pad(scoring, (0, 0, 1, 0)), biases, items, marked)
            return -marked.mean(scores[:, 0])
        h = marked.pick(h)
        features = torch.cat([h, h.new_ones(len(h), 1)], dim=-1)
        score = (features * F.embedding(marked.chosen - 1, scoring)).sum(-1)
        return marked.mean(logsumexp_scores(features, scoring) - score)

    def loss(self, items: Tensor, targets: Tensor) -> Tensor:
        """The same as `forward`."""
        return self(items, targets)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """log p(next item) after each marked position. items (B, L), where bool (B, L) → (N, V), row-major.

        Items without a vector get −∞. seen bool (N, V) marks the items of each whole history, for the repeat
        bias; None means those in `items` up to the marked position.
        """
        lengths = (items > 0).sum(-1)
        if where.sum() == len(items) and bool(where.gather(1, lengths[:, None] - 1).all()):
            return self.last_scores(items, seen=seen)
        table = self.items.table()
        if seen is None and self.repeat_bias is not None:
            seen = seen_items(items, where, self.items.items)
        return self.score(self.encoder(F.embedding(items, table.vectors))[where], table, seen, items[where])

    def last_scores(self, items: Tensor, table: Table | None = None, seen: Tensor | None = None) -> Tensor:
        """log p(next item) after each history, computing only the last position. items (B, L) → (B, V).

        `table` is `self.items.table()` if it is already computed. `seen` (B, V) is as in `log_scores`.
        """
        table = table or self.items.table()
        lengths = (items > 0).sum(-1)
        if seen is None and self.repeat_bias is not None:
            last = torch.arange(items.shape[1], device=items.device) == lengths[:, None] - 1
            seen = seen_items(items, last, self.items.items)
        h = self.encoder.last(F.embedding(items, table.vectors), lengths)
        return self.score(h, table, seen, newest_items(items, lengths))

    def score(self, h: Tensor, table: Table, seen: Tensor | None = None, newest: Tensor | None = None) -> Tensor:
        """h (N, d) → log-probabilities of items 1…V, (N, V).

        A model with a repeat bias needs `seen`, bool (N, V), and `newest` (N,), the last item of each history.
        """
        known = len(table.bias)
        scores = F.linear(h.float(), table.vectors[1 : known + 1].float(), table.bias.float())
        if self.repeat_bias is not None and self.newest_bias is not None:
            if seen is None or newest is None:
                raise ValueError("a model with a repeat bias needs to know which items were seen, and which one last")
            scores = scores + self.repeat_bias * seen[:, :known] + self.newest_bias * is_item(newest, known)
        return F.pad(F.log_softmax(scores, dim=-1), (0, self.items.items - known), value=float("-inf"))

    @property
    def steps(self) -> bool:
        """Whether `start` and `step` work: if the encoder is recurrent, and there is no repeat bias for seen items."""
        return isinstance(self.encoder, Recurrent) and self.repeat_bias is None

    def start(self, batch: int = 1) -> Any:
        """The state before the first item."""
        return cast(Recurrent, self.encoder).start(batch)

    def step(self, item: Tensor, state: Any, table: Table | None = None) -> tuple[Tensor, Any]:
        """One more item. item (B,) → log p(next item) (B, V) and the new state."""
        table = table or self.items.table()
        h, state = cast(Recurrent, self.encoder).step(F.embedding(item, table.vectors), state)
        return self.score(h, table), state
