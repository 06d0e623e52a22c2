"""M2Rec: three kinds of evidence, one gate (arXiv 2505.04445).

Glossary (the paper's names; shapes are batch B, length L, width d, branches M = 3, catalogue V)
    s_1 … s_L   history of item ids, oldest first, padded with 0 on the right
    e_i, z_i    ID vector (learned) and text vector (frozen, from a language model) of item i
    v_i         e_i + P z_i, the item's scoring vector; an item without an ID vector is ranked by its text alone
    b_m         output of branch m: temporal reads e, frequency reads v/|v|, semantic reads P z
    g           gate, softmax over the branches
    p(i)        Σ_m g_m softmax_i⟨b_m, v_i⟩: the answer, and its three shares

Three ways to run the same weights give one answer: `encode` (all positions, for training and for the gate's history),
`encode_last` (the newest position only) and `step` (one more item on a cached state).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.config import BRANCHES, ModelConfig
from m2rec.model.frequency import FrequencyBranch, FrequencyState
from m2rec.model.gate import Gate
from m2rec.model.head import branch_log_probabilities, seen_items, target_log_probability
from m2rec.model.semantic import SemanticBranch, SemanticState
from m2rec.model.temporal import MambaState, TemporalBranch


@dataclass
class Encoded:
    """What the branches and the gate say, at one position or at many.

    `features` (…, M, c) what meets an item's scoring vector, the popularity weight last; `log_gate` (…, M); `gains`
    (…, b), the frequency branch's gain of each band.
    """

    features: Tensor
    log_gate: Tensor
    gains: Tensor


@dataclass
class State:
    """Everything `step` carries; its size does not depend on how long the history is."""

    temporal: list[MambaState]
    frequency: FrequencyState
    semantic: SemanticState


class M2Rec(nn.Module):
    """The network. Knows item indices and vectors, no titles and no data set."""

    text: Tensor
    heeds: Tensor

    def __init__(self, config: ModelConfig, text_vectors: Tensor | None = None) -> None:
        """`text_vectors` (V+1, text_width), row 0 for padding; zeros until a checkpoint is loaded when None."""
        super().__init__()
        self.config = config
        if text_vectors is None:
            text_vectors = torch.zeros(config.items + 1, config.text_width)
        if text_vectors.shape != (config.items + 1, config.text_width):
            raise ValueError(
                f"text_vectors must be {(config.items + 1, config.text_width)}, not {tuple(text_vectors.shape)}"
            )
        self.register_buffer("text", text_vectors.float().clone())
        self.ids = nn.Parameter(torch.randn(config.warm_items, config.width) / math.sqrt(config.width))
        self.bias = nn.Parameter(torch.zeros(config.warm_items))
        self.project = nn.Linear(config.text_width, config.width, bias=False)
        nn.init.normal_(self.project.weight, std=1 / math.sqrt(config.width))
        self.dropout = nn.Dropout(config.dropout)
        self.temporal = TemporalBranch(config)
        self.frequency = FrequencyBranch(config)
        self.semantic = SemanticBranch(config)
        self.gate = Gate(config, self.frequency.evidence_width)
        self.norms = nn.ModuleList(nn.RMSNorm(config.width) for _ in ("temporal", "semantic"))
        self.log_temperature = nn.Parameter(torch.zeros(len(BRANCHES)))
        self.popularity = nn.Parameter(torch.tensor([1.0, 0.0, 1.0]))  # κ: the frequency branch starts without it
        strict = 0.0 if config.strict_frequency else 1.0
        self.register_buffer("heeds", torch.tensor([1.0, strict, 1.0]), persistent=False)
        self.repeat_bias = nn.Parameter(torch.zeros(len(BRANCHES)), requires_grad=config.repeat_bias)

    # ── item vectors ────────────────────────────────────────────────────────────────────────────────────────

    def text_part(self) -> Tensor:
        """P z for every item: (V+1, d), row 0 zero."""
        return self.project(self.text)

    def id_part(self) -> Tensor:
        """e with its popularity bias β appended: (V+1, d+1). Row 0 is zero; cold items have e = 0 and the mean β.

        In training a random share of items is treated as cold, so that text learns to stand alone.
        """
        bias = self.bias[:, None]
        ids: Tensor = self.ids
        if self.training and self.config.id_dropout:
            keep = torch.rand(len(ids), 1, device=ids.device) >= self.config.id_dropout
            ids = ids * keep
            bias = torch.where(keep, bias, bias.mean())
        warm = torch.cat([ids, bias], dim=-1)
        cold = self.config.items - self.config.warm_items
        average = torch.cat([ids.new_zeros(1, self.config.width), self.bias.mean()[None, None]], dim=-1)
        return torch.cat([torch.zeros_like(average), warm, average.expand(cold, -1)])

    def item_table(self) -> "ItemTable":
        """Every per-item vector, computed once and shared by the branches and the head."""
        text, ids = self.text_part(), self.id_part()
        vectors = text + ids[:, :-1]
        parts = [vectors, text, ids[:, -1:]] if self.config.semantic_by_text else [vectors, ids[:, -1:]]
        return ItemTable(ids[:, :-1], F.normalize(vectors, dim=-1), text, torch.cat(parts, dim=-1))

    # ── three ways to run ───────────────────────────────────────────────────────────────────────────────────

    def encode(self, items: Tensor, table: "ItemTable | None" = None, keep: Tensor | None = None) -> Encoded:
        """All positions. items (B, L), right-padded with 0; keep (b,) mutes frequency bands → Encoded over (B, L)."""
        table = table or self.item_table()
        ids, unit, text = table.inputs(items)
        temporal = self.temporal(self.dropout(ids))
        frequency = self.frequency(unit, keep)
        semantic = self.semantic(self.dropout(text))
        return self._encoded(temporal, frequency.y, semantic, frequency.evidence, frequency.gains)

    def encode_last(self, items: Tensor, table: "ItemTable | None" = None, keep: Tensor | None = None) -> Encoded:
        """The last real position of each row only. items (B, L) → Encoded over (B,)."""
        table = table or self.item_table()
        lengths = (items > 0).sum(-1)
        ids, unit, text = table.inputs(items)
        temporal = self.temporal.last(self.dropout(ids), lengths)
        frequency = self.frequency.last(unit, lengths, keep)
        semantic = self.semantic.last(self.dropout(text), lengths)
        return self._encoded(temporal, frequency.y, semantic, frequency.evidence, frequency.gains)

    def step(
        self, item: Tensor, state: State, table: "ItemTable | None" = None, keep: Tensor | None = None
    ) -> tuple[Encoded, State]:
        """One more item. item (B,) → Encoded over (B,) and the new state."""
        table = table or self.item_table()
        ids, unit, text = table.inputs(item)
        temporal, temporal_state = self.temporal.step(self.dropout(ids), state.temporal)
        frequency, frequency_state = self.frequency.step(unit, state.frequency, keep)
        semantic, semantic_state = self.semantic.step(self.dropout(text), state.semantic)
        encoded = self._encoded(temporal, frequency.y, semantic, frequency.evidence, frequency.gains)
        return encoded, State(temporal_state, frequency_state, semantic_state)

    def start(self, batch: int = 1) -> State:
        """The state before the first item."""
        return State(self.temporal.start(batch), self.frequency.start(batch), self.semantic.start(batch))

    def _encoded(self, temporal: Tensor, y: Tensor, semantic: Tensor, evidence: Tensor, gains: Tensor) -> Encoded:
        log_gate = self.gate((temporal, y, semantic), evidence)
        branches = (self.norms[0](self.dropout(temporal).float()), y, self.norms[1](self.dropout(semantic).float()))
        stacked = torch.stack([branch.float() for branch in branches], dim=-2) * self.log_temperature.exp()[:, None]
        popularity = (self.popularity * self.heeds)[:, None].expand(*stacked.shape[:-1], 1)
        parts = [stacked, popularity]
        if self.config.semantic_by_text:  # the scoring vector is [v, P z, β]: each branch meets one half of it
            by_text = torch.tensor([[0.0], [0.0], [1.0]], device=stacked.device)
            parts = [stacked * (1 - by_text), stacked * by_text, popularity]
        return Encoded(torch.cat(parts, dim=-1), log_gate, gains)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def branch_log_probabilities(self, encoded: Encoded, seen: Tensor, table: "ItemTable | None" = None) -> Tensor:
        """log of each branch's own distribution. Encoded over (N,), seen (N, V) → (N, M, V).

        With the gate on features there is one distribution only; it stands in all three places.
        """
        features, repeat_bias, _ = self._mixture(encoded)
        scoring = (table or self.item_table()).scoring
        return branch_log_probabilities(features, scoring, repeat_bias, seen).expand(-1, len(BRANCHES), -1)

    def shares(self, encoded: Encoded, seen: Tensor, table: "ItemTable | None" = None) -> Tensor:
        """g_m · softmax_i: what each branch adds to each item's probability. → (N, M, V), summing to 1 over M and V."""
        return (self.branch_log_probabilities(encoded, seen, table) + encoded.log_gate[..., None]).exp()

    def log_scores(self, items: Tensor, where: Tensor) -> Tensor:
        """log p(next item) after each marked position. items (B, L), where bool (B, L) → (N, V), row-major."""
        lengths = (items > 0).sum(-1)
        if where.sum() == len(items) and bool(where.gather(1, lengths[:, None] - 1).all()):
            at = self.encode_last(items)
        else:
            encoded = self.encode(items)
            at = Encoded(encoded.features[where], encoded.log_gate[where], encoded.gains[where])
        parts = self.branch_log_probabilities(at, seen_items(items, where, self.config.items))
        return torch.logsumexp(parts + at.log_gate[..., None], dim=1)

    def loss(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """Mean −log p(target). items, targets (B, L), target 0 = none. Only warm items compete: cold ones are unknown.

        `branch_loss` adds that much of each branch's own cross-entropy, so that a branch whose gate is nearly shut
        still learns.
        """
        table = self.item_table()
        features, repeat_bias, log_weight = self._mixture(self.encode(items, table))
        scoring = table.scoring[: self.config.warm_items + 1]
        own = target_log_probability(features, scoring, repeat_bias, items, targets)  # (N, M)
        mixture = -torch.logsumexp(log_weight[targets > 0] + own, dim=-1).mean()
        if not branch_loss or own.shape[-1] == 1:
            return mixture
        on = torch.isfinite(self.gate.switched_off)
        return mixture - branch_loss * own[:, on].sum(-1).mean()

    def forward(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """The loss: what a data-parallel wrapper has to call to see the gradients."""
        return self.loss(items, targets, branch_loss)

    def _mixture(self, encoded: Encoded) -> tuple[Tensor, Tensor, Tensor]:
        """The softmaxes to take: features (…, M', c), repeat bias (…, M'), log weight (…, M').

        M' = 3 with the gate on distributions, 1 with the gate on features, where the branches are averaged first.
        """
        branch_bias = self.repeat_bias * self.heeds
        if self.config.gate != "features":
            return encoded.features, branch_bias.expand(encoded.log_gate.shape), encoded.log_gate
        gate = encoded.log_gate.exp()
        features = (gate[..., None] * encoded.features).sum(-2, keepdim=True)
        repeat_bias = (gate * branch_bias).sum(-1, keepdim=True)
        return features, repeat_bias, torch.zeros_like(repeat_bias)


@dataclass
class ItemTable:
    """Per-item vectors, row 0 for padding: ID part e, unit vector v/|v| and text part P z, (V+1, d) each; and what is
    scored against: [v, P z, β], or [v, β] where no branch scores by text alone, (V+1, c).
    """

    ids: Tensor
    unit: Tensor
    text: Tensor
    scoring: Tensor

    def extended(self, text: Tensor) -> "ItemTable":
        """The same with n more items that are known by their projected text (n, d) alone."""
        bias = self.scoring[-1:, -1:].expand(len(text), 1)  # not ranked, so their popularity does not matter
        halves = self.scoring.shape[-1] // text.shape[-1]
        return ItemTable(
            torch.cat([self.ids, torch.zeros_like(text)]),
            torch.cat([self.unit, F.normalize(text, dim=-1)]),
            torch.cat([self.text, text]),
            torch.cat([self.scoring, torch.cat([text.repeat(1, halves), bias], dim=-1)]),
        )

    def inputs(self, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the three branches read of items (…): ID, unit and text vectors, each (…, d)."""
        # embedding rather than indexing: its backward is many times faster
        return F.embedding(items, self.ids), F.embedding(items, self.unit), F.embedding(items, self.text)
